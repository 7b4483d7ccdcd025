"""The commands for guests that a farm knows: register, guests."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farm import cli_print
from farm.cli_ask import Json

app = typer.Typer()


@app.command()
def register(
    program: Annotated[Path, typer.Argument(help="An ELF file or program blob.")],
    name: Annotated[str, typer.Option(help="What it is called; its file's name if not said.")] = "",
    batch: Annotated[
        bool, typer.Option(help="It takes a list of inputs: jobs of it are proved together.")
    ] = False,
    json: Json = False,
) -> None:
    """Have the farm know PROGRAM; print its image id."""
    from farm.client import Farm

    with Farm() as farm:
        guest = farm.register(program, name or program.stem, batch=batch)
    cli_print.data(msgspec.to_builtins(guest), guest.image_id, json=json)


@app.command()
def guests(json: Json = False) -> None:
    """Show the guests that the farm knows."""
    from farm.client import Farm

    with Farm() as farm:
        found = farm.guests()
    rows = [(one.name, "batch" if one.batch else "", one.image_id) for one in found]
    text = "\n".join(cli_print.columns(("name", "takes", "image id"), rows))
    cli_print.data(msgspec.to_builtins(found), text if rows else "no guests", json=json)
