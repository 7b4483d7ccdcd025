"""The command that makes one receipt of many: aggregate."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm import cli_print
from farm.cli_ask import Deadline, Json, Key, Mode, Output, Po2, Priority, Timeout, receipts, unix
from farm.errors import BadInput, StoreFailed

if TYPE_CHECKING:
    from farm.membership import Membership

app = typer.Typer()


@app.command()
def aggregate(
    members: Annotated[list[str], typer.Argument(help="Receipts' files, or jobs.")],
    proofs: Annotated[
        Path | None, typer.Option(help="Where the members' inclusion receipts go: a folder.")
    ] = None,
    attached: Annotated[
        bool, typer.Option(help="Put the receipt of the set into each of them.")
    ] = False,
    po2: Po2 = None,
    priority: Priority = 0,
    deadline: Deadline = None,
    mode: Mode = "risc0",
    key: Key = None,
    output: Output = None,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Make one receipt of MEMBERS and wait for it; whoever cannot be one is named and left out."""
    from farm import show
    from farm.client import Farm

    if proofs and len({_file(proofs, name) for name in members}) < len(members):
        raise BadInput("two members have one name: give their proofs folders of their own")
    with Farm() as farm:
        how: dict[str, Any] = {
            "mode": mode,
            "po2": po2,
            "priority": priority,
            "idempotency_key": key,
        }
        job = farm.aggregate(receipts(members), **how, deadline=unix(deadline))
        with show.progress(job.id, quiet=json) as shown:
            root = job.wait(timeout, shown)
        found = list(zip(members, job.members(), strict=True))
    if output:
        root.save(output)
    if proofs:
        _save(proofs, found, root.bytes if attached else None)
    cli_print.members(found, root, job.id, str(output or ""), json=json)


def _file(folder: Path, name: str) -> Path:
    return folder / f"{Path(name).name}.inclusion"


def _save(folder: Path, found: Sequence[tuple[str, "Membership"]], root: bytes | None) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreFailed(folder, error.strerror or error) from error
    for name, one in found:
        if one.inclusion:
            _write(_file(folder, name), one.inclusion.encode(root))


@app.command()
def inclusion(
    job: Annotated[str, typer.Argument(help="A job that was submitted with --aggregate.")],
    output: Output = None,
    attached: Annotated[bool, typer.Option(help="Put the receipt of the set into it.")] = False,
    root: Annotated[Path | None, typer.Option(help="Where the receipt of the set goes.")] = None,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Wait until JOB is in its set; print and write the proof of that."""
    from farm.client import Farm

    with Farm() as farm:
        found, whole = farm.job(job).inclusion(timeout)
    if root:
        whole.save(root)
    if output:
        _write(output, found.encode(whole.bytes if attached else None))
    facts = {"job": job, "journal": found.journal.hex(), "path": found.path}
    facts |= {"root": whole.journal.hex(), "set_builder": whole.image_id}
    text = f"in a set of root {whole.journal[-32:].hex()}, {len(found.path)} nodes below it"
    cli_print.data(facts, text, json=json)


def _write(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as error:
        raise StoreFailed(file, error.strerror or error) from error
