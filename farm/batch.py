"""A batch of trace proofs, from the side of who asked for it.

Full chunks go straight to the trace workers under one ledger entry: packed inputs into the
scratch store, then the entry, then one small message a chunk. What a worker loses, the
scheduler sends again. Results are deleted from the scratch store as they are taken.
"""

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Self

import numpy as np

from farm import parcels, trace_plain
from farm.blobs import BlobStore
from farm.columns import Inputs, Outputs
from farm.errors import (
    BadTrace,
    BlobMissing,
    FarmError,
    JobFailed,
    LedgerDown,
    VerificationFailed,
)
from farm.follow import Clock, Patience, Progress, follow
from farm.job import BatchView, Change, new_id
from farm.ledger import Ledger
from farm.outbox import Envelope
from farm.parcels import Part
from farm.trace_plain import TraceProof

#: How often a batch is submitted again because the scratch store lost some of it.
LOSSES = 3

#: Hands messages to the broker.
Send = Callable[[Sequence[Envelope]], None]


class Batch:
    """Trace proofs that are being made, in the order they were asked for.

    The scratch store forgets when it is restarted. The client has the inputs still, and submits
    what is missing again: `id` is then that of the new entry in the ledger.
    """

    def __init__(
        self, inputs: Inputs, ledger: Ledger, scratch: BlobStore, send: Send, limit_s: float
    ) -> None:
        self.id, self.inputs = "", inputs
        self._ledger, self._scratch, self._send = ledger, scratch, send
        self._limit_s, self._losses = limit_s, 0
        self._parts: list[Part] = []
        self._taken: dict[int, Outputs] = {}

    @classmethod
    def submit(
        cls, inputs: Inputs, ledger: Ledger, scratch: BlobStore, send: Send, limit_s: float
    ) -> Self:
        """Return a new batch, which is accepted by then."""
        batch = cls(inputs, ledger, scratch, send, limit_s)
        batch._enter()
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
        clock, patience = Clock(timeout), Patience(self._ledger.answered)
        news = self._news(clock)
        for at in range(len(self._parts)):
            while at not in self._taken:
                changes = next(news, None)
                for change in changes or ():
                    if progress:
                        progress(change)
                try:
                    self._take_all(ended=changes is None)
                    patience.back()
                except BlobMissing as error:
                    self._enter_again(error)
                    news = self._news(clock)
                except LedgerDown as error:
                    patience.away(error, clock)
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

    def _enter(self) -> None:
        """Record all chunks that are not taken yet under a new entry, and send them."""
        entry = new_id("b")
        parts = list(parcels.upload(entry, self.inputs, self._scratch, self._taken))
        fresh = [part for at, part in enumerate(parts) if at not in self._taken]
        chunks = [parcels.chunk(entry, self.inputs.program, p, self._limit_s) for p in fresh]
        if chunks:
            self._ledger.trace_submit(entry, self.inputs.program, len(self), chunks)
        self.id, self._parts = entry, parts
        # Accepted: what the broker does not take now, the scheduler sends later.
        with contextlib.suppress(LedgerDown):
            self._send([chunk.message for chunk in chunks])

    def _enter_again(self, error: BlobMissing) -> None:
        self._losses += 1
        if self._losses > LOSSES:
            raise error
        lost = self.id
        self._enter()
        self._ledger.trace_forget(lost)

    def _news(self, clock: Clock) -> Iterator[list[Change]]:
        left = clock.left()
        timeout = None if left == math.inf else left
        return follow(self._ledger, self.id, lambda: self.status().state, timeout)

    def _take_all(self, *, ended: bool) -> None:
        """Take the results that are there; raises why some never will be."""
        view = self.status()
        for at, part in enumerate(self._parts):
            if at not in self._taken and part.step in view.nodes:
                self._take(at, part, view.nodes[part.step])
        if len(self._taken) == len(self._parts):
            self._forget()
        elif ended:
            raise view.error() or JobFailed(self.id, "its results are not all there")

    def _take(self, at: int, part: Part, ref: str) -> None:
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
