"""Cut a trace batch into chunks: upload their inputs, name their steps, make their messages.

And delete what a batch has in the scratch store.
"""

from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np

from farm import queue
from farm.blobs import BlobStore, ScratchStore
from farm.columns import Inputs
from farm.job import BatchView
from farm.ledger import Chunk, Ledger
from farm.outbox import Envelope
from farm.session import Span, step_name
from farm.wire import StepMessage

#: Proofs in one message: the message then costs under 0.05 us a proof.
ROWS = 16_384
#: Steps in one message: tens of milliseconds of work, so that all workers have some.
STEPS = 1 << 22
#: Steps of one core in a second without the compiled kernel, measured with numpy.
STEPS_A_SECOND = 20_000_000
#: A chunk below both is small: its message costs more than a tenth of its proofs, so the
#: scheduler puts it into one with others.
SMALL_ROWS, SMALL_STEPS = 2048, 1 << 18
#: What the results of a row take in the scratch store, and what a chunk adds to it: measured.
RESULT_BYTES, CHUNK_BYTES = 45, 1024


class Sizes(NamedTuple):
    """Most rows and most steps of one chunk."""

    rows: int
    steps: int


class Part(NamedTuple):
    """One chunk: the name of its step, its rows, and where its packed inputs are."""

    step: str
    span: Span
    inputs: str
    #: Its steps, about: rounds and witness words.
    steps: int


def sizes(latency_s: float) -> Sizes:
    """Return how large a chunk may be that takes one core no longer than `latency_s` seconds."""
    return Sizes(ROWS, max(1, min(STEPS, int(latency_s * STEPS_A_SECOND))))


def held(inputs: Inputs, limits: Sizes) -> int:
    """Return the bytes that a batch and its results will take in the scratch store, about."""
    columns = inputs.words.nbytes + inputs.rounds.nbytes + inputs.lengths.nbytes
    chunks = 1 + len(inputs) // limits.rows + work(inputs) // limits.steps
    return columns + RESULT_BYTES * len(inputs) + CHUNK_BYTES * chunks


def work(inputs: Inputs) -> int:
    """Return the steps of some rows, about: rounds and witness words."""
    return int(inputs.rounds.sum(dtype=np.int64)) + len(inputs.words)


def upload(
    entry: str, inputs: Inputs, scratch: BlobStore, skip: Container[int], limits: Sizes
) -> Iterator[Part]:
    """Yield the parts of a batch, their inputs in the scratch store; of those in `skip`, none."""
    start = 0
    for at, rows in enumerate(inputs.split(*limits)):
        span = Span(start, start + len(rows))
        step, start = step_name("trace", span), span.end
        ref = "" if at in skip else scratch.put(rows.pack(f"{entry} {step}"))
        yield Part(step, span, ref, work(rows))


def chunk(entry: str, program: str, part: Part, limit_s: float) -> Chunk:
    """Return what the ledger keeps of a part: its step, and its message for the first attempt."""
    rows = part.span.end - part.span.start
    message = StepMessage(
        session=entry,
        job=entry,
        step=part.step,
        kind="trace",
        attempt=1,
        slot="",
        inputs=[part.inputs],
        args={"rows": rows, "steps": part.steps},
        limit_s=limit_s,
    )
    text = f"{program} x {rows} of batch {entry}"
    small = rows < SMALL_ROWS and part.steps < SMALL_STEPS
    return Chunk(part.step, Envelope(queue.TRACE, "trace", message.kwargs(), text), small)


def clear(batch: BatchView, ledger: Ledger, scratch: ScratchStore) -> None:
    """Delete what a batch that has ended has in the scratch store; its room is others' again."""
    scratch.drop([*batch.inputs, *batch.nodes.values()])
    ledger.trace_release(batch.id)
