"""Print what commands found: plain lines, or one JSON document where a script asks for it."""

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from farm.job import BatchView, JobView
from farm.receipt import Receipt
from farm.session import Slot


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
    where = f"in {path}" if path else f"in the farm: farm receipt {job} -o FILE"
    lines = [
        f"journal {found.journal.hex()}",
        f"image id {found.image_id}",
        f"receipt verified, {found.kind}, {len(found.bytes):,} bytes, {where}",
    ]
    data(facts, "\n".join(lines), json=json)


def job(view: JobView, *, json: bool) -> None:
    """Print where a job is."""
    error = view.error()
    facts = msgspec.to_builtins(view) | {"error": str(error) if error else ""}
    lines = [
        f"job {view.id}: {view.state.lower()}" + (f", {error}" if error else ""),
        f"image id {view.spec.image_id}",
        f"submitted {_ago(view.created)}"
        + (f", ended {_ago(view.finished)}" if view.finished else ""),
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
    lines += [f"job {one.id}: {one.state.lower()}, submitted {_ago(one.created)}" for one in jobs]
    data(facts, "\n".join(lines) or "no slots, no jobs", json=json)


def _ago(when: float) -> str:
    seconds = max(0, round(time.time() - when))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
