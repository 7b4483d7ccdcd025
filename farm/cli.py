"""The `farm` command: data on stdout, words on stderr; a farm error is one line and exit 1."""

import sys
from collections.abc import Sequence

import typer

from farm import (
    cli_api,
    cli_ask,
    cli_bench,
    cli_check,
    cli_doctor,
    cli_farm,
    cli_guests,
    cli_jobs,
    cli_logs,
    cli_model,
    cli_sets,
)
from farm.errors import FarmError

app = typer.Typer(
    help="Proofs from a farm of workers: RISC Zero receipts, and trace proofs for development.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
PARTS = (
    cli_farm,
    cli_api,
    cli_ask,
    cli_sets,
    cli_guests,
    cli_jobs,
    cli_logs,
    cli_check,
    cli_doctor,
)
for part in (*PARTS, cli_model, cli_bench):
    app.add_typer(part.app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit."""
    try:
        app(arguments)
    except FarmError as error:
        typer.echo(f"farm: {error}", err=True)
        sys.exit(1)
