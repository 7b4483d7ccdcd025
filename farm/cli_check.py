"""The commands that need no running farm: verify, image-id, version, demo."""

import re
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from farm import cli_print, inclusion, locate, verify, verify_sets
from farm import settings as config
from farm.errors import BadInput, HostError, StoreFailed
from farm.set_builder import IMAGE_ID

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("verify")
def verify_file(
    file: Annotated[Path, typer.Argument(help="A receipt, or a member's inclusion receipt.")],
    image_id: Annotated[str, typer.Option(help="The program it must be of.")],
    journal: Annotated[Path | None, typer.Option(help="Where the journal goes.")] = None,
    root: Annotated[
        Path | None, typer.Option(help="The receipt of the set, where FILE has it not in it.")
    ] = None,
    via: Annotated[
        Path | None,
        typer.Option(help="The inclusion receipt of FILE's own set in a larger one."),
    ] = None,
    set_builder: Annotated[
        str, typer.Option(help="Image id of the set builder, if not the farm's own.")
    ] = IMAGE_ID,
    json: Json = False,
) -> None:
    """Verify the receipt in FILE and print its journal; no farm need be up."""
    wanted, settings, raw = _image(image_id), config.load(), _read(file)
    found: verify.Verified
    if inclusion.seems(raw):
        above = {"root": _given(root), "via": _given(via)}
        builder = _image(set_builder)
        found = verify_sets.member(raw, wanted, **above, builder=builder, settings=settings)
    elif root or via:
        raise BadInput(f"{file} is no inclusion receipt: leave out --root and --via")
    else:
        found = verify.verify(raw, wanted, settings)
    if journal:
        _write(journal, found.journal)
    cli_print.verified(found, json=json)


def _image(text: str) -> str:
    if not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise BadInput(f"image id {text!r} is not 64 hex digits")
    return text.lower()


@app.command("image-id")
def image_id(
    program: Annotated[Path, typer.Argument(help="An ELF file or program blob.")],
    json: Json = False,
) -> None:
    """Print the image id of PROGRAM: what its receipts are verified against."""
    found = verify.image_id(_read(program), config.load())
    cli_print.data({"image_id": found}, found, json=json)


@app.command()
def version(json: Json = False) -> None:
    """Print the versions of the farm, the zkVM and the host."""
    own = metadata.version("proving-farm")
    facts = {"farm": own, "zkvm": config.ZKVM} | _host()
    host = facts.get("error") or f"farm-host {facts['host']} at {facts['path']}"
    features = f" ({facts['features']})" if "features" in facts else ""
    cli_print.data(facts, f"farm {own}\nzkVM {facts['zkvm']}\n{host}{features}", json=json)


@app.command()
def demo(
    compare: Annotated[
        bool, typer.Option(help="Prove the same with the plain prover, to compare.")
    ] = True,
) -> None:
    """Start a farm of its own, prove 100,000 traces and a RISC Zero program, verify, stop."""
    from farm import demo as show

    raise typer.Exit(0 if show.run(compare=compare) else 1)


def _host() -> dict[str, str]:
    settings = config.load()
    try:
        with verify.host(settings) as child:
            said = child.greeting
    except HostError as error:
        return {"error": str(error)}
    return {
        "zkvm": said.zkvm,
        "host": said.host,
        "path": locate.find(settings),
        "features": ", ".join(said.features),
    }


def _write(file: Path, body: bytes) -> None:
    try:
        file.write_bytes(body)
    except OSError as error:
        raise StoreFailed(file, error.strerror or error) from error


def _given(file: Path | None) -> bytes | None:
    return _read(file) if file else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"cannot read {file} ({error.strerror})") from error
