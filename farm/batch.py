"""A batch of trace proofs, from the side of who asked for it.

Full chunks go straight to the trace workers under one ledger entry: packed inputs into the
scratch store, then the entry, then one small message a chunk. What a worker loses, the
scheduler sends again. Results are deleted from the scratch store as they are taken.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Self

import numpy as np

from farm import queue, trace_plain
from farm.blobs import BlobStore
from farm.columns import Inputs, Outputs
from farm.errors import BadTrace, FarmError, JobFailed, LedgerDown, VerificationFailed
from farm.follow import Progress, follow
from farm.job import BatchView, Change, new_id
from farm.ledger import Chunk, Ledger
from farm.outbox import Envelope
from farm.session import Span, step_name
from farm.trace_plain import TraceProof
from farm.wire import StepMessage

#: Proofs in one message: the message then costs under 0.05 us a proof.
CHUNK = 16_384
#: Steps in one message: tens of milliseconds of work, so that all workers have some.
CHUNK_STEPS = 1 << 22

#: Hands messages to the broker.
Send = Callable[[Sequence[Envelope]], None]


class _Part(NamedTuple):
    """One chunk: the name of its step, its rows, and where its packed inputs are."""

    step: str
    span: Span
    inputs: str


class Batch:
    """Trace proofs that are being made, in the order they were asked for."""

    def __init__(self, id: str, inputs: Inputs, ledger: Ledger, scratch: BlobStore) -> None:
        self.id, self.inputs = id, inputs
        self._ledger, self._scratch = ledger, scratch
        self._parts: list[_Part] = []
        self._taken: dict[int, Outputs] = {}

    @classmethod
    def submit(
        cls, inputs: Inputs, ledger: Ledger, scratch: BlobStore, send: Send, limit_s: float
    ) -> Self:
        """Return a new batch, which is accepted by then."""
        batch = cls(new_id("b"), inputs, ledger, scratch)
        batch._parts = list(batch._upload())
        chunks = [batch._chunk(part, limit_s) for part in batch._parts]
        if chunks:
            ledger.trace_submit(batch.id, inputs.program, len(inputs), chunks)
            # Accepted: what the broker does not take now, the scheduler sends later.
            with contextlib.suppress(LedgerDown):
                send([chunk.message for chunk in chunks])
        return batch

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[TraceProof | BadTrace]:
        """Yield each proof in order as it comes; a row that has none yields why."""
        for part, done in zip(self._parts, self.chunks(), strict=True):
            for at in range(len(done)):
                yield done.row(self.inputs.program, at, part.span.start)

    def status(self) -> BatchView:
        """Return the batch as the ledger has it; raises UnknownJob once all results are taken."""
        return self._ledger.trace_view(self.id)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns, once they are there.

        Raises WaitTimeout, or why the batch has failed. `progress` is told of every change.
        """
        return Outputs.joined(list(self.chunks(timeout, progress)))

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield the results of each chunk, in order, once it and all before it are there."""
        news = follow(self._ledger, self.id, lambda: self.status().state, timeout)
        for at in range(len(self._parts)):
            while at not in self._taken:
                self._advance(next(news, None), progress or (lambda change: None))
            yield self._taken[at]

    def verify(self, sample: float = 1.0) -> int:
        """Compute a random share of the proofs again, plainly; return how many were right.

        Rows without a proof do not count. Raises VerificationFailed at the first wrong one.
        """
        done = self.wait()
        proofs = np.flatnonzero(done.codes == 0)
        count = len(proofs) if sample >= 1 else int(np.ceil(len(proofs) * sample))
        rows = np.random.default_rng().choice(proofs, count, replace=False).tolist()
        for row, (rounds, witness) in zip(rows, self.inputs.rows(rows), strict=True):
            program = self.inputs.program
            if done.row(program, row) != trace_plain.prove(program, rounds, witness):
                raise VerificationFailed(f"item {row}: its proof is not that of its witness")
        return len(rows)

    def cancel(self) -> bool:
        """Return whether the batch was still running; it is ABORTED then."""
        return self._ledger.trace_cancel(self.id)

    def _upload(self) -> Iterator[_Part]:
        start = 0
        for rows in self.inputs.split(CHUNK, CHUNK_STEPS):
            span = Span(start, start + len(rows))
            step = step_name("trace", span)
            yield _Part(step, span, self._scratch.put(rows.pack(f"{self.id} {step}")))
            start = span.end

    def _chunk(self, part: _Part, limit_s: float) -> Chunk:
        message = StepMessage(
            session=self.id,
            job=self.id,
            step=part.step,
            kind="trace",
            attempt=1,
            slot="",
            inputs=[part.inputs],
            limit_s=limit_s,
        )
        text = f"{self.inputs.program} x {part.span.end - part.span.start} of batch {self.id}"
        return Chunk(part.step, Envelope(queue.TRACE, "trace", message.kwargs(), text))

    def _advance(self, changes: Sequence[Change] | None, progress: Progress) -> None:
        """Take what has come; None means that the batch has ended."""
        for change in changes or ():
            progress(change)
        try:
            view = self.status()
        except LedgerDown:
            if changes is None:
                raise
            return  # it is waited for by the one who brings the changes
        for at, part in enumerate(self._parts):
            if at not in self._taken and part.step in view.nodes:
                self._take(at, part, view.nodes[part.step])
        if len(self._taken) == len(self._parts):
            self._forget()
        elif changes is None:
            raise view.error() or JobFailed(self.id, "its results are not all there")

    def _take(self, at: int, part: _Part, ref: str) -> None:
        found = Outputs.unpack(self._scratch.get(ref), f"{self.id} {part.step}")
        if len(found) != part.span.end - part.span.start:
            raise BadTrace(f"{part.step} of batch {self.id} came back with {len(found)} rows")
        self._taken[at] = found
        self._drop([ref, part.inputs])

    def _drop(self, refs: Iterable[str]) -> None:
        # They expire by themselves: what cannot be deleted now is no loss.
        with contextlib.suppress(FarmError):
            for ref in refs:
                self._scratch.delete(ref)

    def _forget(self) -> None:
        with contextlib.suppress(LedgerDown):
            self._ledger.trace_forget(self.id)
