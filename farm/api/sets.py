"""The farm's own API for sets: many receipts made one, and the proof of each member."""

from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from farm import execution
from farm.api import answers, bodies
from farm.api.call import Call
from farm.api.fields import Name, Po2, Priority, Title
from farm.api.jobs import shown
from farm.api.results import answer
from farm.asked import Given
from farm.errors import BlobMissing, GuestFailed
from farm.job import JobView
from farm.members import Entry
from farm.submission import MOST


class NewSet(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who is to be in the set: jobs, or receipts that were uploaded."""

    members: Annotated[list[Name], msgspec.Meta(min_length=1, max_length=MOST)]
    mode: Literal["risc0", "trace"] = "risc0"
    po2: Po2 | None = None
    priority: Priority = 0
    deadline: float | None = None
    idempotency_key: Title | None = None


class Member(msgspec.Struct, kw_only=True):
    """One who was asked for: in the set, or left out for a reason."""

    name: str
    #: The nodes from its claim to the root, in hex, if it is in the set.
    path: list[str] | None = None
    code: str = ""
    error: str = ""


async def submit(call: Call) -> Response:
    """Take a set; it is durable by the time this answers."""
    asked = await call.json(NewSet)
    there = await call.thread(_given, call, asked.members)
    how = msgspec.structs.asdict(asked) | {"members": there}
    farm = call.api.farm(call.namespace)
    job = await call.thread(lambda: farm.aggregate(**how))
    view, _ = await call.api.look(call.namespace, job.id)
    return answers.json(shown(view), 201, {"location": f"/v1/jobs/{job.id}"})


async def members(call: Call) -> Response:
    """Say who is in the set of a job that has SUCCEEDED, with the proof, and who is not."""
    view, _ = await call.api.look(call.namespace, call.part("id"))
    answer(view, "receipt")
    found = await call.thread(call.api.farm(call.namespace).job(view.id).members)
    return answers.json(
        [
            Member(
                name=one.name,
                path=list(one.inclusion.path) if one.inclusion else None,
                code=one.error.code if one.error else "",
                error=str(one.error) if one.error else "",
            )
            for one in found
        ]
    )


async def blob(call: Call) -> Response:
    """Give a body that the record of a job names, or the roster of its set."""
    view, _ = await call.api.look(call.namespace, call.part("id"))
    ref = call.part("ref")
    if ref not in await call.thread(_bodies, call, view):
        raise BlobMissing(ref, f"job {view.id} has no such body")
    return await bodies.give(call, ref)


def _bodies(call: Call, view: JobView) -> set[str]:
    """Return what the farm itself has noted with a job: no text of a guest's or a caller's."""
    error = view.error()
    written = error.written if isinstance(error, GuestFailed) else execution.written(view.stats)
    roster = str(view.stats.get("members", ""))
    found = {view.receipt, view.journal, roster, *(written or ())}
    if roster:
        entries = msgspec.json.decode(call.api.blobs.get(roster), type=list[Entry])
        found |= {entry.journal for entry in entries}
    return found - {""}


def _given(call: Call, names: list[str]) -> list[Given]:
    """Return the receipts that have these names, and the names of all others: they are jobs'."""
    found = call.uploads.find_all([("receipt", one) for one in names])
    return [
        call.api.blobs.get(upload.ref) if upload else one
        for one, upload in zip(names, found, strict=True)
    ]
