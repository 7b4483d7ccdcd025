"""The commands that measure: `farm bench reference`, `farm bench aggregate`."""

from pathlib import Path
from typing import Annotated

import typer

from farm import cli_print

app = typer.Typer()
bench = typer.Typer(help="Measure this machine.", no_args_is_help=True)
app.add_typer(bench, name="bench")


@bench.callback()
def _bench() -> None:
    # A group of one command would otherwise be that command.
    """Measure this machine."""


@bench.command()
def reference(
    out: Annotated[Path | None, typer.Option(help="Folder for Markdown, JSON and PNG.")] = None,
    seconds: Annotated[float, typer.Option(help="Time for each part.", min=0)] = 2.0,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure every row of the reference beside this farm; exit 1 if a goal is missed."""
    from farm import bench_report, bench_run

    found = bench_run.measured(seconds, lambda part: typer.echo(f"{part} ...", err=True))
    if json:
        cli_print.data({"machine": bench_report.machine(), "rows": found.rows}, "", json=True)
    else:
        bench_report.show(found.rows)
    for file in bench_report.write(out, found.rows, found.curves) if out else ():
        typer.echo(f"wrote {file}", err=True)
    missed = [row for row in found.rows if row.met is False]
    goals = sum(row.met is not None for row in found.rows)
    typer.echo(f"{goals - len(missed)} of {goals} goals met", err=True)
    for row in missed:
        typer.echo(f"missed: {row.part}: {row.what}: {row.ours}, goal {row.goal}", err=True)
    if missed:
        raise typer.Exit(1)


@bench.command()
def aggregate(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a member costs singly, in a set and in a batch; exit 1 if a goal is missed."""
    from farm import bench_aggregate

    found = bench_aggregate.run()
    measured = ("verify (measured)", "bytes (measured)", "per second (measured)")
    headings = ("members", "way", "work (modelled)", *measured, "gas (modelled)")
    rows = [
        (f"{one.members:,}", one.way, f"{one.work:,.0f} cycles", f"{one.verify_s * 1e6:,.0f} us",
         f"{one.bytes:,.0f}", f"{1 / one.verify_s:,.0f}", f"{one.gas:,.0f}")
        for one in found.lines
    ]  # fmt: skip
    goals = [
        f"{what}: {figure:.1f}, goal {bound:g}" + ("" if figure >= bound else ": MISSED")
        for what, figure, bound in found.goals
    ]
    text = "\n".join([*cli_print.columns(headings, rows), "", *goals])
    facts = {"lines": [one._asdict() for one in found.lines], "goals": found.goals}
    cli_print.data(facts, text, json=json)
    if not found.met:
        raise typer.Exit(1)
