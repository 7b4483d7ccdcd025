"""The farm's own API for jobs: submit, look, list, search, cancel, and what came of them."""

import re
import time
from contextlib import aclosing
from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from farm import mine, usage
from farm.api import answers, bodies
from farm.api.bonsai_uploads import image_id
from farm.api.call import Call
from farm.api.fields import (
    AnyState,
    CycleLimit,
    ImageId,
    Labels,
    MaybeName,
    Name,
    Place,
    Po2,
    Priority,
    SetName,
    Title,
)
from farm.api.orders import Order
from farm.api.results import answer
from farm.errors import BadInput, InputTooLarge
from farm.job import Change, JobView, State
from farm.server import LONGEST_BLOCK

#: Most jobs of one page of a list.
MOST_LISTED = 1000


class NewJob(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is asked of the farm; what is left out is as the farm's settings have it."""

    #: An image that was uploaded.
    image_id: ImageId
    #: An input that was uploaded; without one the guest reads `stdin`.
    input: MaybeName = ""
    #: What the guest reads, in base64.
    stdin: bytes = b""
    mode: Literal["risc0", "trace", "execute"] = "risc0"
    receipt: Literal["succinct", "composite", "groth16"] = "succinct"
    #: Receipts that were uploaded, or jobs whose receipts they will be.
    assumptions: list[Name] = []
    po2: Po2 | None = None
    cycle_limit: CycleLimit | None = None
    priority: Priority = 0
    #: Unix time after which the answer is of no use.
    deadline: float | None = None
    idempotency_key: Title | None = None
    labels: Labels = {}
    #: The open set that it joins once it has its receipt, and what it is worth there.
    aggregate: SetName = ""
    value: float = 0.0


class Listing(msgspec.Struct, kw_only=True):
    """Jobs, newest first, and where the next page begins; "" once there is none."""

    jobs: list[JobView]
    next: str


class Search(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which jobs are listed: those that have all that is said."""

    state: AnyState = ""
    mode: Literal["", "risc0", "trace", "execute", "simulated"] = ""
    image_id: str = ""
    #: "name=value", or "name" for any value; several by commas.
    label: str = ""
    #: Where the page before has ended.
    after: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=MOST_LISTED)] = 100


class Since(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """From where on changes are wanted, and how many seconds one may be waited for."""

    after: Place = "0"
    wait: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_BLOCK / 1000)] = 0.0


class Cancelled(msgspec.Struct):
    """Whether a job was open, and is ABORTED now."""

    cancelled: bool


class Written(msgspec.Struct):
    """What a guest wrote, in base64; at most 1 MiB of each."""

    stdout: bytes
    stderr: bytes


class Used(msgspec.Struct):
    """What a tenant uses, and what it may (0: any number)."""

    jobs: int
    cycles_today: int
    bytes: int
    most_jobs: int
    most_cycles_a_day: int
    most_bytes: int


async def submit(call: Call) -> Response:
    """Take a job; it is durable by the time this answers."""
    asked = await call.json(NewJob)
    if asked.input and asked.stdin:
        raise BadInput("job: give the guest's stdin by `input` or by `stdin`, not by both")
    order = Order(
        namespace=call.namespace,
        image=image_id(asked.image_id),
        input=asked.input,
        stdin="" if asked.input else await call.thread(_stdin, call, asked.stdin),
        quota=call.api.gate.quota(call.namespace),
        **{field: getattr(asked, field) for field in _SAME},
    )
    id = await call.api.submit(order)
    view, _ = await call.api.look(call.namespace, id)
    return answers.json(shown(view), 201, {"location": f"/v1/jobs/{id}"})


def _stdin(call: Call, body: bytes) -> str:
    limit = call.api.settings.input_limit
    if len(body) > limit:
        raise InputTooLarge(len(body), limit)
    return call.api.blobs.put(body)


#: What an order has as it was asked for.
_SAME = tuple(
    field for field in NewJob.__struct_fields__ if field not in ("image_id", "input", "stdin")
)


async def status(call: Call) -> Response:
    """Say where a job is."""
    view, _ = await call.api.look(call.namespace, call.part("id"))
    return answers.json(shown(view))


async def listing(call: Call) -> Response:
    """List this tenant's jobs."""
    asked = call.query(Search)
    state = State(asked.state) if asked.state else None
    wanted = mine.Wanted(state, asked.mode, asked.image_id, mine.labels(asked.label))
    found = await call.thread(
        mine.jobs, call.api.ledger, call.namespace, wanted, asked.after, asked.limit
    )
    return answers.json(Listing(jobs=[shown(view) for view in found.jobs], next=found.next))


async def cancel(call: Call) -> Response:
    """Cancel a job; others that wait for the same proof keep it."""
    job = call.api.farm(call.namespace).job(call.part("id"))
    return answers.json(Cancelled(await call.thread(job.cancel)))


async def receipt(call: Call) -> Response:
    """Give the receipt of a job."""
    view, _ = await call.api.look(call.namespace, call.part("id"))
    return await bodies.give(call, answer(view, "receipt"))


async def journal(call: Call) -> Response:
    """Give the journal of a job."""
    view, _ = await call.api.look(call.namespace, call.part("id"))
    return await bodies.give(call, answer(view, "journal"))


async def logs(call: Call) -> Response:
    """Give what the guest of a job wrote."""
    job = call.api.farm(call.namespace).job(call.part("id"))
    found = await call.thread(job.logs)
    return answers.json(Written(found.stdout, found.stderr))


async def changes(call: Call) -> Response:
    """Give what became of a job since a change; wait for the first, if that is asked for."""
    asked = call.query(Since)
    id = call.part("id")
    await call.api.look(call.namespace, id)
    after = asked.after
    found = await call.thread(call.api.ledger.changes, id, after)
    if found or not asked.wait:
        return answers.json(found)
    async with aclosing(call.api.watch.changes(id, after, asked.wait)) as coming:
        change: Change | None = await anext(coming)
    return answers.json([change] if change else [])


async def used(call: Call) -> Response:
    """Say what this tenant uses, and what it may."""
    own = call.api.gate.quota(call.namespace)
    now = await call.thread(usage.read, call.api.ledger, call.namespace, time.time())
    return answers.json(Used(*now, own.jobs, own.cycles, own.bytes))


def shown(view: JobView) -> JobView:
    """Return a job as its tenant may see it: without what its guest's random bytes come of."""
    return msgspec.structs.replace(view, spec=msgspec.structs.replace(view.spec, seed=""))


def place(given: str) -> str:
    """Return where changes are read from; raises BadInput for what no change has for an id."""
    if not re.fullmatch(r"[0-9]{1,19}(-[0-9]{1,19})?", given):
        raise BadInput(f"{given!r} is no id of a change")
    return given
