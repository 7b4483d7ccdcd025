"""Bonsai's API for sessions: create, look, stop, and what came of them."""

import contextlib
import time
from typing import Literal

import msgspec
import structlog
from starlette.responses import Response

from farm import usage
from farm.api import answers, bodies
from farm.api import bonsai_state as said
from farm.api.bonsai_uploads import UploadUrl, image_id
from farm.api.call import Call
from farm.api.fields import CycleLimit, ImageId, Name
from farm.api.orders import Order
from farm.api.results import answer
from farm.errors import BlobMissing, JobFailed, WaitTimeout
from farm.handle import Job

log = structlog.get_logger()

#: Versions of the zkVM whose programs and receipts this farm's host knows.
VERSIONS = [f"3.0.{patch}" for patch in range(7)]


class NewSession(msgspec.Struct):
    """What is to be proved, or with `execute_only` just executed."""

    img: ImageId
    input: Name
    assumptions: list[Name] = []
    execute_only: bool = False
    exec_cycle_limit: CycleLimit | None = None
    priority: Literal["high", "medium", "low"] = "medium"


class Created(msgspec.Struct):
    """The name of what was begun."""

    uuid: str


class NewSnark(msgspec.Struct):
    """The session whose receipt is to become a Groth16 one."""

    session_id: Name
    priority: Literal["high", "medium", "low"] = "medium"


class Quotas(msgspec.Struct):
    """What a user may have: the limit of one execution in millions of cycles, the rest in ones."""

    exec_cycle_limit: int
    concurrent_proofs: int
    cycle_budget: int
    cycle_usage: int
    dedicated_executor: int
    dedicated_gpu: int


class Versions(msgspec.Struct):
    """Versions of the zkVM that are proved."""

    risc0_zkvm: list[str]


async def create(call: Call) -> Response:
    """Begin a session."""
    asked = await call.json(NewSession)
    limit = asked.exec_cycle_limit
    if limit is not None:
        limit = said.cycles(limit)
        log.info("cycle limit", given=asked.exec_cycle_limit, cycles=limit)
        limit = max(1, min(limit, call.api.settings.cycle_limit))
    order = Order(
        namespace=call.namespace,
        image=image_id(asked.img),
        input=asked.input,
        mode="execute" if asked.execute_only else "risc0",
        assumptions=asked.assumptions,
        cycle_limit=limit,
        priority=said.PRIORITIES[asked.priority],
        quota=call.api.gate.quota(call.namespace),
    )
    return answers.json(Created(await call.api.submit(order)))


async def status(call: Call) -> Response:
    """Say where a session is."""
    id = call.part("uuid")
    view, last = await call.api.look(call.namespace, id)
    url = ""
    if view.spec.kind != "execute":
        url = call.api.urls.of(call.request, f"/receipts/stark/receipt/{id}")
    return answers.json(said.session(view, last, url, time.time()))


async def stop(call: Call) -> Response:
    """Stop a session: ABORTED unless it has ended before."""
    await call.thread(_job(call).cancel)
    return Response()


async def logs(call: Call) -> Response:
    """Give what the guest wrote to stdout and stderr; nothing while it still runs."""
    await call.api.look(call.namespace, call.part("uuid"))
    written = b""
    # One that came to no end has left nothing.
    with contextlib.suppress(WaitTimeout, JobFailed, BlobMissing):
        written = b"".join(await call.thread(_job(call).logs))
    return answers.plain(written, "text/plain; charset=utf-8")


async def journal(call: Call) -> Response:
    """Give the journal of a session that has ended well, as it is."""
    view, _ = await call.api.look(call.namespace, call.part("uuid"))
    return await bodies.give(call, answer(view, "journal"))


async def receipt_url(call: Call) -> Response:
    """Say where the receipt of a session is; 404 while there is none."""
    id = call.part("uuid")
    view, _ = await call.api.look(call.namespace, id)
    answer(view, "receipt")
    path = f"/receipts/stark/receipt/{id}"
    return answers.json(UploadUrl(call.api.urls.of(call.request, path)))


async def receipt(call: Call) -> Response:
    """Give the receipt of a session: bincode of Receipt."""
    view, _ = await call.api.look(call.namespace, call.part("uuid"))
    return await bodies.give(call, answer(view, "receipt"))


async def create_snark(call: Call) -> Response:
    """Begin a Groth16 receipt of a session that has SUCCEEDED."""
    asked = await call.json(NewSnark)
    view, _ = await call.api.look(call.namespace, asked.session_id)
    answer(view, "receipt")
    quota = call.api.gate.quota(call.namespace)
    how = {"receipt": "groth16", "priority": said.PRIORITIES[asked.priority]}
    again = call.api.intake.again
    return answers.json(Created(await call.thread(again, call.namespace, view.spec, quota, **how)))


async def snark_status(call: Call) -> Response:
    """Say where a Groth16 receipt is."""
    id = call.part("uuid")
    view, _ = await call.api.look(call.namespace, id)
    url = call.api.urls.of(call.request, f"/receipts/groth16/receipt/{id}")
    return answers.json(said.snark(view, url))


async def versions(call: Call) -> Response:
    """Say which versions of the zkVM are proved."""
    return answers.json(Versions(VERSIONS))


async def quotas(call: Call) -> Response:
    """Say what this user may have, and what it has used today."""
    own = call.api.gate.quota(call.namespace)
    used = await call.thread(usage.read, call.api.ledger, call.namespace, time.time())
    return answers.json(
        Quotas(
            exec_cycle_limit=call.api.settings.cycle_limit // said.MILLION,
            concurrent_proofs=own.jobs or said.UNLIMITED,
            cycle_budget=own.cycles or said.UNLIMITED,
            cycle_usage=used.cycles,
            dedicated_executor=0,
            dedicated_gpu=0,
        )
    )


def _job(call: Call) -> Job:
    return call.api.farm(call.namespace).job(call.part("uuid"))
