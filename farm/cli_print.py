"""Print what commands found: plain lines, or one JSON document where a script asks for it."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from farm.execution import Execution
from farm.job import BatchView, JobView
from farm.membership import Membership
from farm.receipt import Receipt
from farm.session import Slot
from farm.verify import PLAYED, Verified
from farm.verify_sets import VerifiedMember


def data(facts: Any, text: str, *, json: bool) -> None:
    """Print the facts as JSON, or the text."""
    typer.echo(msgspec.json.encode(facts, enc_hook=str).decode() if json else text)


def receipt(found: Receipt, job: str, path: str, *, json: bool) -> None:
    """Print a receipt that was verified; without a file, say how to get one."""
    facts = {
        "job": job,
        "image_id": found.image_id,
        "kind": found.kind,
        "bytes": len(found.bytes),
        "journal": found.journal.hex(),
        "receipt": path,
    }
    data(facts, "\n".join(_whole(found, job, path)), json=json)


def _whole(found: Receipt, job: str, path: str) -> list[str]:
    where = f"in {path}" if path else f"in the farm: farm receipt {job} -o FILE"
    checked = "nothing is proved, but it is whole" if found.kind in PLAYED else "receipt verified"
    return [
        f"journal {found.journal.hex()}",
        f"image id {found.image_id}",
        f"{checked}, {found.kind}, {len(found.bytes):,} bytes, {where}",
    ]


def verified(found: Verified, *, json: bool) -> None:
    """Print what a receipt was shown to prove; of a set's member also the root."""
    facts = {"verified": True, "kind": found.kind, "digest": found.digest}
    facts |= {"journal": found.journal.hex()}
    lines = [f"journal {found.journal.hex()}", f"verified, {found.kind}"]
    if isinstance(found, VerifiedMember):
        facts |= {"root": found.root}
        lines.insert(1, f"root {found.root}")
    data(facts, "\n".join(lines), json=json)


def execution(found: Execution, job: str, *, json: bool) -> None:
    """Print what a guest did that was only executed."""
    what = {"job": job, "image_id": found.image_id, "journal": found.journal.hex()}
    facts = what | {"kind": "execute", "segments": found.segments, "cycles": found.cycles}
    cycles = ", ".join(f"{count:,} {name}" for name, count in found.cycles.items())
    lines = [f"journal {found.journal.hex()}", f"image id {found.image_id}"]
    lines.append(f"only executed, nothing is proved: cycles {cycles}; segments {found.segments}")
    data(facts, "\n".join(lines), json=json)


def members(
    found: Sequence[tuple[str, Membership]], root: Receipt, job: str, path: str, *, json: bool
) -> None:
    """Print who is in a set, and who is not."""
    facts = {"job": job, "image_id": root.image_id, "kind": root.kind, "receipt": path}
    told = [
        {"member": name, "path": one.inclusion.path if one.inclusion else None}
        | {
            "error": str(one.error) if one.error else "",
            "code": one.error.code if one.error else "",
        }
        for name, one in found
    ]
    lines = [f"{name}: " + (f"LEFT OUT, {one.error}" if one.error else "in") for name, one in found]
    lines += ["", *_whole(root, job, path)]
    more = {"journal": root.journal.hex(), "members": told}
    data(facts | more, "\n".join(lines), json=json)


def job(view: JobView, *, json: bool) -> None:
    """Print where a job is."""
    error = view.error()
    facts = msgspec.to_builtins(view) | {"error": str(error) if error else ""}
    lines = [
        f"job {view.id}: {view.state.lower()}" + (f", {error}" if error else ""),
        f"image id {view.spec.image_id}",
        f"submitted {ago(view.created)}"
        + (f", ended {ago(view.finished)}" if view.finished else ""),
    ]
    data(facts, "\n".join(lines), json=json)


def batch(view: BatchView, *, json: bool) -> None:
    """Print where a trace batch is."""
    error = view.error()
    facts = msgspec.to_builtins(view) | {"error": str(error) if error else ""}
    text = f"batch {view.id}: {view.state.lower()}, {view.done} of {view.chunks} chunks"
    data(facts, text + (f", {error}" if error else ""), json=json)


def farm(slots: Sequence[Slot], jobs: Sequence[JobView], *, json: bool) -> None:
    """Print the slots of a farm and its newest jobs."""
    facts = {"slots": msgspec.to_builtins(slots), "jobs": msgspec.to_builtins(jobs)}
    lines = [f"slot {slot.name}: cores {slot.cores or 'any'}, process {slot.pid}" for slot in slots]
    lines += [f"job {one.id}: {one.state.lower()}, submitted {ago(one.created)}" for one in jobs]
    data(facts, "\n".join(lines) or "no slots, no jobs", json=json)


def columns(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table as lines: as wide as they come, for a pipe takes any width."""
    table = [headings, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def ago(when: float) -> str:
    """Return how long ago a unix time was, in words."""
    seconds = max(0, round(time.time() - when))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
