"""The handle of one job: wait for it, fetch what came of it, cancel it."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from farm import batched, execution, membership, open_sets
from farm.errors import (
    BadInput,
    GuestFailed,
    JobFailed,
    NoReceipt,
    ReceiptSwept,
    WaitTimeout,
    WrongKind,
)
from farm.execution import Execution, Logs
from farm.follow import AGAIN, Clock, Progress, follow
from farm.inclusion import Inclusion
from farm.job import Change, JobView
from farm.membership import Membership
from farm.receipt import Receipt

if TYPE_CHECKING:
    from farm.client import Farm


class Job:
    """One job of a farm; nothing but its id is kept here."""

    def __init__(self, farm: "Farm", id: str) -> None:
        self.farm, self.id = farm, id

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def status(self) -> JobView:
        """Return the job as it is now; raises UnknownJob."""
        return self.farm.ledger.status(self.id)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Receipt:
        """Return the receipt, verified, once there is one.

        Raises why the job has ended without one (GuestPanicked, CycleLimitReached, JobAborted,
        ...; NoReceipt if it was only executed), or WaitTimeout after `timeout` seconds.
        `progress` is told of every change.
        """
        self._follow(timeout, progress)
        return self.receipt()

    def result(self, timeout: float | None = None, progress: Progress | None = None) -> Execution:
        """Return journal, cycles and segments once the job has ended well; raises as `wait`."""
        self._follow(timeout, progress)
        return self.execution()

    def changes(self, timeout: float | None = None) -> Iterator[list[Change]]:
        """Yield what becomes of the job until it has ended; raises WaitTimeout."""
        return follow(self.farm.ledger, self.id, lambda: self.status().state, Clock(timeout))

    def receipt(self) -> Receipt:
        """Return the receipt of a job that has SUCCEEDED, verified here against its image id.

        Raises NoReceipt for a job that was only executed.
        """
        view = self._succeeded()
        spec = view.spec
        if spec.kind == "execute":
            raise NoReceipt(self.id)
        raw = self._blob(view.receipt)
        receipt = Receipt.read(raw, spec.image_id, self.farm.settings, mode=spec.kind)
        if receipt.kind != spec.receipt:
            raise WrongKind(receipt.kind, spec.receipt)
        return receipt

    def output(self) -> bytes:
        """Return what the guest put out, shown by the job's receipt, which is verified here.

        That is its journal; of a job that shares a receipt with others, its own part of that.
        Raises as `receipt` does, and WrongClaim where the receipt has another one's output there.
        """
        view, receipt = self._succeeded(), self.receipt()
        place = view.stats.get("batch")
        if not isinstance(place, dict):
            return receipt.journal
        digest = view.spec.input.partition("-")[0]
        return batched.output_of(receipt.journal, place["index"], digest)

    def members(self) -> list[Membership]:
        """Return all who were asked to be in the set of a job that has SUCCEEDED, in that order.

        Each with the proof that it is in the set, or with why it is not. Of a job that makes no
        set there are none.
        """
        view = self._succeeded()
        roster = str(view.stats.get("members", ""))
        get = self._blob
        return membership.read(get(roster), view.spec.image_id, get) if roster else []

    def inclusion(self, timeout: float | None = None) -> tuple[Inclusion, Receipt]:
        """Return the proof that the job is in its set and the set's receipt, once there is one.

        For jobs that were submitted to join an open set. Raises as `wait` does, of the job's own
        and of the set's; BadInput for a job that joins none.
        """
        clock = Clock(timeout)
        spec = self.status().spec
        if not spec.aggregate:
            raise BadInput(f"job {self.id} joins no set: submit it with aggregate=")
        self._follow(clock.rest(), None)
        self._succeeded()
        while not (made := self.status().set):
            if not clock.left():
                raise WaitTimeout(self.id, "in no set yet", timeout)
            time.sleep(min(AGAIN, clock.left()))
        with self.farm.of(open_sets.home(spec.namespace, spec.aggregate)) as owner:
            root = owner.job(made).wait(clock.rest())
            found = {one.name: one for one in owner.job(made).members()}[self.id]
        if found.error or not found.inclusion:
            raise found.error or JobFailed(self.id, f"it is not in the set of job {made}")
        return found.inclusion, root

    def execution(self) -> Execution:
        """Return what the guest of a job that has SUCCEEDED did, whatever was proved of it."""
        view = self._succeeded()
        journal = self._blob(view.journal)
        return execution.of_stats(view.spec.image_id, journal, view.stats)

    def logs(self) -> Logs:
        """Return what the guest wrote, also if it failed; at most 1 MiB each of the two.

        Raises WaitTimeout while it runs, JobFailed when it did not get to an end, BlobMissing
        when what it wrote is not kept any more.
        """
        view = self.status()
        refs = self._written(view)
        if refs is None and not view.state.ended:
            raise WaitTimeout(self.id, view.state, 0)
        if refs is None:
            raise JobFailed(self.id, "its guest came to no end, nothing that it wrote is kept")
        # An older farm kept no reference of what is empty.
        stdout, stderr = (self._blob(ref) if ref else b"" for ref in refs)
        return Logs(stdout, stderr)

    def cancel(self) -> bool:
        """Return whether the job was open, and is ABORTED now; raises UnknownJob."""
        return self.farm.ledger.cancel(self.id)

    def _blob(self, ref: str) -> bytes:
        return self.farm.blob(self.id, ref)

    def _written(self, view: JobView) -> tuple[str, str] | None:
        error = view.error()
        told = error.written if isinstance(error, GuestFailed) else None
        if found := told or execution.written(view.stats):
            return found
        # The proof may go on for long after the guest has ended.
        record = self.farm.ledger.executed(view.session)
        return (record.stdout, record.stderr) if record else None

    def _follow(self, timeout: float | None, progress: Progress | None) -> None:
        for changes in self.changes(timeout):
            for change in changes:
                if progress:
                    progress(change)

    def _succeeded(self) -> JobView:
        view = self.status()
        if error := view.error():
            raise error
        if not view.state.ended:
            raise WaitTimeout(self.id, view.state, 0)
        if not view.receipt:
            raise ReceiptSwept(self.id)
        return view
