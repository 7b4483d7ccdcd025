"""The commands that run a farm: up and down, and the processes that `up` starts."""

import contextlib
from typing import Annotated

import typer

from farm import settings as config
from farm.errors import HostError, KernelMissing

#: Exit status that tells the supervisor not to try again.
CANNOT_WORK = 3

app = typer.Typer()


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):  # a farm outlives who read its first lines
        typer.echo(line, err=True)


@app.command()
def up(
    slots: Annotated[int | None, typer.Option(help="Proofs side by side; 0 is one a core.")] = None,
    detach: Annotated[
        bool, typer.Option("--detach/--foreground", help="Return once the farm is ready.")
    ] = False,
    flower: Annotated[bool | None, typer.Option(help="Run Flower, which shows the work.")] = None,
    flower_port: Annotated[int | None, typer.Option(help="Flower's port on loopback.")] = None,
    api: Annotated[bool | None, typer.Option(help="Run the REST API.")] = None,
    api_port: Annotated[int | None, typer.Option(help="The API's port.")] = None,
) -> None:
    """Start a farm on this machine and keep it running."""
    from farm import background, report
    from farm import up as farm

    given = {"flower": flower, "flower_port": flower_port, "api": api, "api_port": api_port}
    settings = config.load(slots=slots, **given)
    if detach:
        for line in report.summary(settings, background.start(settings)):
            _say(line)
    else:
        farm.up(settings, _say)


@app.command()
def down(
    now: Annotated[bool, typer.Option(help="Do not wait for steps in progress.")] = False,
) -> None:
    """Stop the farm of this user; steps in progress are finished first."""
    from farm import background

    settings = config.load()
    if not background.stop(settings, now=now, say=_say):
        _say(f"no farm is up in {settings.state}")


@app.command(hidden=True)
def scheduler() -> None:
    """Send steps to workers and bind what they prove."""
    from farm.dispatch import run

    run(config.load())


@app.command(hidden=True)
def worker(
    kind: Annotated[str, typer.Option(help="risc0, execute or trace.")],
    slot: Annotated[str, typer.Option(help="The slot it answers as.")],
    slots: Annotated[int, typer.Option(help="How many, counted on from there.")] = 1,
) -> None:
    """Work as one slot, or as several that are simulated."""
    from farm.worker import run

    try:
        run(config.load(), kind=kind, slot=slot, slots=slots)
    except (HostError, KernelMissing) as error:
        _say(str(error))
        raise typer.Exit(CANNOT_WORK) from error


@app.command(hidden=True)
def flower() -> None:
    """Serve Flower's pages."""
    from farm import embedded, flower_site, queue

    settings = config.load()
    flower_site.run(queue.connect(embedded.urls(settings).broker), settings)
