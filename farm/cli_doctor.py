"""The commands for a farm's health and its disk: doctor, sweep."""

import dataclasses
from typing import Annotated

import msgspec
import typer

from farm import cli_print
from farm import settings as config

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def doctor(json: Json = False) -> None:
    """Check this machine and its farm: what is in order, what is not, what to do; exit 1 if bad."""
    from farm.doctor import examine

    found = examine(config.load())
    rows = [(one.level, one.name, one.said + (f" -> {one.step}" * bool(one.step))) for one in found]
    text = "\n".join(f"{level:<6}{name:<13}{said}" for level, name, said in rows)
    cli_print.data(msgspec.to_builtins(found), text, json=json)
    if any(one.level == "bad" for one in found):
        raise typer.Exit(1)


@app.command()
def sweep(
    dry_run: Annotated[bool, typer.Option(help="Only count what would go.")] = False,
    json: Json = False,
) -> None:
    """Delete what is past its time, and blobs that nothing needs, now; a farm does by itself."""
    from farm import embedded, sweeper
    from farm.remains import Remains

    settings = config.load()
    remains = Remains.at(embedded.urls(settings).ledger)
    swept = sweeper.once(settings, remains, sweeper.store_of(settings), dry=dry_run)
    text = sweeper.text(swept) + (" (nothing was changed)" if dry_run else "")
    cli_print.data(dataclasses.asdict(swept), text, json=json)


@app.command(hidden=True)
def sweeper() -> None:
    """Sweep now and then."""
    from farm.sweeper import run

    run(config.load())
