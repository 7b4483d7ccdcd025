"""The command that shows what a guest wrote: logs."""

from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def logs(
    job: Annotated[str, typer.Argument(help="A job's id.")],
    stderr: Annotated[bool, typer.Option("--stderr", help="Its stderr instead of stdout.")] = False,
) -> None:
    """Print what the guest of JOB wrote to its stdout, also if it failed."""
    from farm.client import Farm

    with Farm() as farm:
        found = farm.job(job).logs()
    typer.echo(found.stderr if stderr else found.stdout, nl=False)
