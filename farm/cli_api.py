"""The commands of the REST API: api, key."""

import contextlib
from collections.abc import Iterator
from typing import Annotated

import msgspec
import typer

from farm import cli_print
from farm import settings as config
from farm.apikey import ApiKey
from farm.audit import Audit
from farm.cli_ask import Json
from farm.errors import BadInput
from farm.keyring import Keyring

app = typer.Typer()
key = typer.Typer(help="Keys of the API: who may ask for what.", no_args_is_help=True)
app.add_typer(key, name="key")

HEADINGS = ("key", "name", "namespace", "scopes", "made", "revoked")


@app.command()
def api() -> None:
    """Serve the REST API; `farm up` does, too."""
    from farm.api.serve import run

    run(config.load())


@key.command("add")
def add(
    name: Annotated[str, typer.Argument(help="What it is called: who uses it, or where.")],
    namespace: Annotated[
        str, typer.Option(help="Whose jobs its holder submits and sees; ours if not said.")
    ] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="submit, read or admin; may be repeated. Submit and read if not said."),
    ] = None,
    json: Json = False,
) -> None:
    """Make an API key and print it: it is not kept, and cannot be shown again."""
    settings = config.load()
    with _keyring() as ring:
        made, secret = ring.add(name, namespace or settings.namespace, scope or ("submit", "read"))
        Audit.of(settings).note(who="cli", what="key add", key=made.id, namespace=made.namespace)
    cli_print.data(msgspec.to_builtins(made) | {"secret": secret}, secret, json=json)


@key.command("list")
def list_keys(json: Json = False) -> None:
    """List the API keys, without their secrets."""
    with _keyring() as ring:
        found = ring.all()
    lines = cli_print.columns(HEADINGS, [_cells(one) for one in found]) if found else ["no keys"]
    cli_print.data(msgspec.to_builtins(found), "\n".join(lines), json=json)


@key.command("revoke")
def revoke(
    id: Annotated[str, typer.Argument(metavar="KEY", help="Its id, as `farm key list` has it.")],
) -> None:
    """Make a key good for nothing, within a second."""
    with _keyring() as ring:
        if not ring.revoke(id):
            raise BadInput(f"there is no API key {id}; `farm key list` shows them")
    Audit.of(config.load()).note(who="cli", what="key revoke", key=id)


@contextlib.contextmanager
def _keyring() -> Iterator[Keyring]:
    # Loading it takes longer than most other commands.
    from farm.client import Farm

    with Farm() as farm:
        yield Keyring(farm.ledger)


def _cells(one: ApiKey) -> tuple[str, ...]:
    revoked = cli_print.ago(one.revoked) if one.revoked else ""
    made = cli_print.ago(one.created)
    return (one.id, one.name, one.namespace, ",".join(one.scopes), made, revoked)
