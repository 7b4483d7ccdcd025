"""Cut a trace batch into chunks: upload their inputs, name their steps, make their messages."""

from collections.abc import Container, Iterator
from typing import NamedTuple

from farm import queue
from farm.blobs import BlobStore
from farm.columns import Inputs
from farm.ledger import Chunk
from farm.outbox import Envelope
from farm.session import Span, step_name
from farm.wire import StepMessage

#: Proofs in one message: the message then costs under 0.05 us a proof.
ROWS = 16_384
#: Steps in one message: tens of milliseconds of work, so that all workers have some.
STEPS = 1 << 22


class Part(NamedTuple):
    """One chunk: the name of its step, its rows, and where its packed inputs are."""

    step: str
    span: Span
    inputs: str


def upload(entry: str, inputs: Inputs, scratch: BlobStore, skip: Container[int]) -> Iterator[Part]:
    """Yield the parts of a batch, their inputs in the scratch store; of those in `skip`, none."""
    start = 0
    for at, rows in enumerate(inputs.split(ROWS, STEPS)):
        span = Span(start, start + len(rows))
        step, start = step_name("trace", span), span.end
        # The name makes the bytes, and so the reference, this part's alone: it gets deleted.
        ref = "" if at in skip else scratch.put(rows.pack(f"{entry} {step}"))
        yield Part(step, span, ref)


def chunk(entry: str, program: str, part: Part, limit_s: float) -> Chunk:
    """Return what the ledger keeps of a part: its step, and its message for the first attempt."""
    message = StepMessage(
        session=entry,
        job=entry,
        step=part.step,
        kind="trace",
        attempt=1,
        slot="",
        inputs=[part.inputs],
        limit_s=limit_s,
    )
    text = f"{program} x {part.span.end - part.span.start} of batch {entry}"
    return Chunk(part.step, Envelope(queue.TRACE, "trace", message.kwargs(), text))
