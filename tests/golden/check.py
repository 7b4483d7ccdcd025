"""Asks the replay host for everything that is recorded and compares its answers."""

from pathlib import Path
from typing import Any

from book import BLOBS, HERE, Entry, digest, entries

from farm.errors import FarmError
from farm.host import HostChild


def check(host: str) -> list[str]:
    """Return what is wrong, a line each; an empty list means that all is as recorded."""
    files = {digest(file): file for file in [*HERE.glob("*.bin"), *(HERE / BLOBS).glob("*.bin")]}
    child = HostChild(host, replay=str(HERE))
    try:
        return [problem for entry in entries() for problem in replayed(child, entry, files)]
    finally:
        child.close()


def replayed(child: HostChild, entry: Entry, files: dict[str, Path]) -> list[str]:
    """Return how the replay of one entry differs from it."""
    missing = [digest for digest in entry.inputs if digest not in files]
    if missing:
        return [f"{entry.command}: no file of SHA-256 {', '.join(missing)}"]
    found: dict[str, Any] = {"emitted": [], "outputs": [], "done": None, "failed": None}
    parts = [files[digest].read_bytes() for digest in entry.inputs]

    def emitted(facts: dict[str, Any], part: bytes) -> None:
        found["emitted"].append((facts, part))

    try:
        answer = child.request(entry.verb, entry.args, parts, emitted, emitted)
        found |= {"done": answer.done, "outputs": answer.parts}
    except FarmError as error:
        found["failed"] = {"kind": error.code, "facts": list(error.facts)}
        found["outputs"] = list(getattr(error, "bodies", []))
    wanted = {
        "emitted": [(e["facts"], (HERE / e["file"]).read_bytes()) for e in entry.emitted],
        "outputs": [(HERE / file).read_bytes() for file in entry.outputs],
        "done": entry.done,
        "failed": entry.failed,
    }
    return [f"{entry.command}: {n} differs" for n, value in wanted.items() if found[n] != value]
