"""A batch of trace proofs, from the side of who asked for it."""

from collections.abc import Iterator
from functools import partial
from typing import Self

import numpy as np

from farm import trace
from farm.columns import Inputs, Outputs
from farm.entry import Entry, Intake
from farm.errors import BadTrace, Busy, LedgerDown, UnknownJob, VerificationFailed
from farm.follow import Clock, Patience, Progress, follow
from farm.job import BatchView, Change, new_id
from farm.ledger import Ledger
from farm.trace_plain import TraceProof

#: Rounds that no row has: what has a proof is within the workers' limit.
_ANY_LENGTH = 1 << 32


class Batch:
    """Trace proofs that are being made, in the order they were asked for.

    Safe to use from several threads: whoever waits gets all results.
    """

    def __init__(self, entry: Entry, intake: Intake) -> None:
        self._entry, self._ledger = entry, intake.ledger

    @classmethod
    def submit(cls, inputs: Inputs, intake: Intake) -> Self:
        """Return a new batch, which is accepted by then; raises Busy, InputTooLarge."""
        entry = Entry(inputs, intake, partial(new_id, "b"))
        try:
            entry.submit()
        except LedgerDown:
            entry.give_up()
            raise
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

        Raises WaitTimeout after `timeout` seconds, or why the batch has failed; JobAborted once
        it is cancelled. `progress` is told of every change.
        """
        for _ in self.chunks(timeout, progress):
            pass
        return self._entry.whole()

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield the results of each chunk, in order, once it and all before it are there."""
        entry = self._entry
        wait = _Wait(entry, self._ledger, Clock(timeout), progress)
        for at in range(len(entry.parts)):
            while at not in entry.taken:
                wait.look()
            yield entry.taken[at]

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
        """Return whether the batch was still running; it is ABORTED then, its data deleted.

        What is not taken by then and gets lost is not made again.
        """
        return self._entry.cancel()


class _Wait:
    """One wait for the results of a batch, which others may be waiting for as well."""

    def __init__(
        self, entry: Entry, ledger: Ledger, clock: Clock, progress: Progress | None
    ) -> None:
        self._entry, self._ledger, self._clock, self._progress = entry, ledger, clock, progress
        self._patience = Patience(ledger.answered)
        #: The name that is followed, and what is heard of it.
        self._id = ""
        self._news: Iterator[list[Change]] = iter(())

    def look(self) -> None:
        """Wait for news, at most LOOK seconds while the farm answers, and take what is there."""
        if self._id != self._entry.id:
            self._id = self._entry.id
            self._news = self._follow(self._id)
        changes = self._heard()
        for change in changes or ():
            if self._progress:
                self._progress(change)
        while not self._took(changes):
            pass

    def _follow(self, id: str) -> Iterator[list[Change]]:
        return follow(self._ledger, id, lambda: self._ledger.trace_view(id).state, self._clock)

    def _heard(self) -> list[Change] | None:
        """Return what became of the batch, None once it has ended."""
        try:
            return next(self._news, None)
        except UnknownJob:
            # The ledger forgets a batch once somebody has all of it, or hands it in again.
            return None

    def _took(self, changes: list[Change] | None) -> bool:
        """Take what is there; return False after a wait for a farm that is away or busy."""
        try:
            if self._entry.take(self._id, changes or (), ended=changes is None):
                self._entry.forget()
        except LedgerDown as error:
            self._patience.away(error, self._clock)
            return False
        except Busy as error:
            self._patience.busy(error, self._clock, self._id)
            return False
        self._patience.back()
        return True
