"""A batch of trace proofs, from the side of who asked for it."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Self

import numpy as np

from farm import trace
from farm.columns import Inputs, Outputs
from farm.entry import Entry, Intake
from farm.errors import BadTrace, BlobMissing, LedgerDown, VerificationFailed
from farm.follow import Clock, Patience, Progress, follow
from farm.job import BatchView, Change, new_id
from farm.trace_plain import TraceProof

#: Rounds that no row has: what has a proof is within the workers' limit.
_ANY_LENGTH = 1 << 32


class Batch:
    """Trace proofs that are being made, in the order they were asked for.

    Safe to use from one thread at a time.
    """

    def __init__(self, entry: Entry, intake: Intake) -> None:
        self._entry, self._ledger = entry, intake.ledger
        self._joined: Outputs | None = None

    @classmethod
    def submit(cls, inputs: Inputs, intake: Intake) -> Self:
        """Return a new batch, which is accepted by then; raises Busy, InputTooLarge."""
        entry = Entry(inputs, intake, partial(new_id, "b"))
        entry.submit()
        return cls(entry, intake)

    @property
    def id(self) -> str:
        """The batch's name in the ledger, another one once it had to be handed in again."""
        return self._entry.id

    @property
    def inputs(self) -> Inputs:
        """What the batch was asked for."""
        return self._entry.inputs

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[TraceProof | BadTrace]:
        """Yield each proof in order as it comes; a row that has none yields why."""
        first = 0
        for done in self.chunks():
            for at in range(len(done)):
                yield done.row(self.inputs.program, at, first)
            first += len(done)

    def status(self) -> BatchView:
        """Return the batch as the ledger has it; raises UnknownJob once all results are taken."""
        return self._ledger.trace_view(self.id)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns, once they are there.

        Raises WaitTimeout, or why the batch has failed. `progress` is told of every change.
        """
        if self._joined is None:
            done = Outputs.joined(list(self.chunks(timeout, progress)))
            # The parts are where the whole is: nothing is held twice.
            counts = [len(self._entry.taken[at]) for at in range(len(self._entry.parts))]
            self._entry.taken.update(enumerate(done.split(counts)))
            self._joined = done
        return self._joined

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield the results of each chunk, in order, once it and all before it are there."""
        clock, patience = Clock(timeout), Patience(self._ledger.answered)
        news = self._news(clock)
        for at in range(len(self._entry.parts)):
            while at not in self._entry.taken:
                changes = next(news, None)
                for change in changes or ():
                    if progress:
                        progress(change)
                try:
                    self._collect(changes)
                    patience.back()
                except BlobMissing as error:
                    self._entry.submit_again(error)
                    news = self._news(clock)
                except LedgerDown as error:
                    patience.away(error, clock)
            yield self._entry.taken[at]

    def _collect(self, changes: list[Change] | None) -> None:
        if self._entry.collect(changes or ()):
            self._entry.forget()
        elif changes is None:  # it has ended
            raise self._entry.why()

    def _news(self, clock: Clock) -> Iterator[list[Change]]:
        left = clock.left()
        timeout = None if left == math.inf else left
        return follow(self._ledger, self.id, lambda: self.status().state, timeout)

    def verify(self, sample: float = 1.0) -> int:
        """Compute a random share of the proofs again, here; return how many were right.

        Rows without a proof do not count. Raises VerificationFailed at the first wrong one.
        """
        done = self.wait()
        proofs = np.flatnonzero(done.codes == 0)
        count = len(proofs) if sample >= 1 else int(np.ceil(len(proofs) * sample))
        rows = np.sort(np.random.default_rng().choice(proofs, count, replace=False))
        again = trace.prove(self.inputs.pick(rows), _ANY_LENGTH)
        same = (again.outputs == done.outputs[rows]) & (again.steps == done.steps[rows])
        same &= (again.commitments == done.commitments[rows]).all(axis=1)
        if not same.all():
            wrong = rows[np.argmin(same)]
            raise VerificationFailed(f"item {wrong}: its proof is not that of its witness")
        return len(rows)

    def cancel(self) -> bool:
        """Return whether the batch was still running; it is ABORTED then, its data deleted."""
        return self._entry.cancel()
