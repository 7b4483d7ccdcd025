"""The farm's own API for trace batches: many proofs of one trace program, by columns or rows."""

from typing import Literal

import msgspec
from starlette.responses import Response

from farm.api import answers
from farm.api.call import Call
from farm.api.jobs import Cancelled
from farm.blobs import ScratchStore
from farm.columns import Outputs
from farm.errors import BadTrace, NoAnswer
from farm.job import BatchView, State


class NewBatch(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One trace program on many witnesses: `fib.v0` takes rounds, `sha256.v0` words."""

    program: Literal["fib.v0", "sha256.v0"]
    #: One number, or one a row.
    rounds: int | list[int] | None = None
    #: One row of words a row.
    witness: list[list[int]] | None = None


class Proof(msgspec.Struct, kw_only=True):
    """One row: its proof, or the reason for none."""

    output: int = 0
    steps: int = 0
    #: SHA-256 of program, witness, output and steps, in hex.
    commitment: str = ""
    #: 0 for a proof; else what kind of reason there is, and the reason in words.
    code: int = 0
    error: str = ""


async def submit(call: Call) -> Response:
    """Take a batch; it is durable by the time this answers."""
    asked = await call.json(NewBatch)
    farm = call.api.farm(call.namespace)
    made = await call.thread(farm.submit_many, asked.program, asked.rounds, asked.witness)
    view = await call.thread(farm.ledger.trace_view, made.id)
    return answers.json(view, 201, {"location": f"/v1/batches/{made.id}"})


async def status(call: Call) -> Response:
    """Say where a batch is."""
    ledger = call.api.farm(call.namespace).ledger
    return answers.json(await call.thread(ledger.trace_view, call.part("id")))


async def results(call: Call) -> Response:
    """Give the proofs of a batch that has SUCCEEDED, in the order of its rows."""
    farm = call.api.farm(call.namespace)
    view = await call.thread(farm.ledger.trace_view, call.part("id"))
    return answers.json(await call.thread(_proofs, view, farm.scratch))


async def cancel(call: Call) -> Response:
    """Cancel a batch."""
    ledger, id = call.api.farm(call.namespace).ledger, call.part("id")
    await call.thread(ledger.trace_view, id)
    return answers.json(Cancelled(await call.thread(ledger.trace_cancel, id)))


def _proofs(view: BatchView, scratch: ScratchStore) -> list[Proof]:
    if view.state is not State.SUCCEEDED:
        raise NoAnswer(view.id, view.state, "results")
    steps = sorted(view.nodes, key=lambda step: int(step.partition(":")[2].partition("-")[0]))
    found: list[Proof] = []
    for step, body in zip(steps, scratch.get_all([view.nodes[one] for one in steps]), strict=True):
        if isinstance(body, Exception):
            raise body
        rows = Outputs.unpack(body, f"{view.id} {step}")
        first = len(found)
        found += [_row(rows, view.program, at, first) for at in range(len(rows))]
    return found


def _row(rows: Outputs, program: str, at: int, first: int) -> Proof:
    proof = rows.row(program, at, first)
    if isinstance(proof, BadTrace):
        return Proof(code=int(rows.codes[at]), error=str(proof))
    return Proof(output=proof.output, steps=proof.steps, commitment=proof.commitment.hex())
