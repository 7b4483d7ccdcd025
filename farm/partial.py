"""One batch of which some rows are held, lent by other batches, or equal, and the rest is sent."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from farm.cache import Found
from farm.columns import Inputs, Outputs
from farm.errors import Busy, FarmError, LedgerDown, WaitTimeout
from farm.flight import Flight, Landed, Once, Sent, aborted, too_late
from farm.follow import Clock, Progress
from farm.holding import Holding
from farm.rows import Rows, picked, put
from farm.worth import Use

#: Sends a batch on its way.
Submit = Callable[[Inputs], Sent]

#: Seconds after which a batch that waits for another looks whether it was cancelled itself.
LOOK = 1.0


class Partial:
    """A batch on its way; `inputs` would cost `cost` seconds to prove.

    Waited for by one thread at a time, and by none once it has landed; any thread may cancel it.
    """

    def __init__(self, holding: Holding, inputs: Inputs, submit: Submit, cost: float) -> None:
        self._holding, self._inputs, self._submit, self._cost = holding, inputs, submit, cost
        #: What was lent and came to nothing, asked for again, by the number of the loan.
        self._again: dict[int, Sent] = {}
        self._cancelled, self._kept_s = False, -1.0
        began = holding.clock()
        # Not one step with the flights, since a look may be a round trip: what lands in between is
        # proved twice, which costs a proof and nothing else.
        self._found = holding.store.look(inputs)
        self._firsts, self._inverse = self._found.keys.different()
        keys = self._found.keys[self._firsts]
        self._loans, self._own, self._flight = holding.flights.board(keys)
        self._bad = _neither(self._found)
        asked = np.concatenate((self._found.rows[self._firsts[self._own]], self._bad))
        self._missing = inputs if len(self._own) == len(inputs) else inputs.pick(asked)
        self._spent = holding.clock() - began
        self._depart()

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return the proofs of all rows; raises why they could not be made, or WaitTimeout."""
        clock = Clock(timeout)
        done = self._landed(timeout, progress)
        own = picked(done, slice(len(self._own)))
        self._keep(own)
        # Only now that its own flight has landed does a batch wait for others: none waits for ever.
        lent = [self._lent(at, clock, progress) for at in range(len(self._loans))]
        landed = self._holding.clock()
        merged = done if len(own) == len(self._inputs) else self._merged(done, lent)
        self._settle(self._spent + self._holding.clock() - landed)
        return merged

    def cancel(self) -> bool:
        """Return whether something was under way for it; it lends nothing from now on."""
        self._cancelled = True
        self._holding.flights.remove(self._flight)
        again = [sent.cancel() for sent in tuple(self._again.values())]
        return self._flight.cancel() or any(again)

    def _depart(self) -> None:
        try:
            nothing = Landed(Outputs.empty(0))
            sent = self._submit(self._missing) if len(self._missing) else nothing
        except BaseException:
            self._flight.departs(None)
            self._holding.flights.remove(self._flight)
            raise
        self._flight.departs(sent)

    def _landed(self, timeout: float | None, progress: Progress | None) -> Outputs:
        try:
            return self._flight.lands(timeout, progress)
        except (WaitTimeout, LedgerDown):
            raise
        except FarmError:
            self._holding.flights.remove(self._flight)
            raise

    def _keep(self, own: Outputs) -> None:
        """Keep what has landed, once: the wait for what was lent may be begun again."""
        if self._kept_s < 0:
            began = self._holding.clock()
            self._holding.store.keep(self._flight.keys, own, self._found.version)
            self._holding.flights.remove(self._flight)
            self._kept_s = self._holding.clock() - began

    def _lent(self, at: int, clock: Clock, progress: Progress | None) -> Outputs:
        loan = self._loans[at]
        if at not in self._again:
            try:
                return picked(self._borrowed(loan.flight, clock), loan.theirs)
            except (WaitTimeout, LedgerDown):
                raise
            except FarmError:  # its failure is not this batch's
                if self._cancelled:
                    raise
                self._holding.flights.remove(loan.flight)
                rows = self._found.rows[self._firsts[loan.rows]]
                self._again[at] = Once(self._anew(self._inputs.pick(rows), clock))
        return self._again[at].wait(clock.rest(), progress)

    def _anew(self, inputs: Inputs, clock: Clock) -> Sent:
        """Hand in what another batch has failed to make, once the farm has room for it."""
        while True:
            try:
                return self._submit(inputs)
            except Busy as error:
                if not clock.left():
                    raise too_late(clock.timeout) from error
                time.sleep(min(LOOK, float(error.args[-1]), clock.left()))
            if self._cancelled:
                raise aborted()

    def _borrowed(self, flight: Flight, clock: Clock) -> Outputs:
        while True:
            if self._cancelled:
                raise aborted()
            left = clock.left()
            try:
                return flight.lands(min(left, LOOK))
            except WaitTimeout:
                if left <= LOOK:
                    raise

    def _merged(self, done: Outputs, lent: Sequence[Outputs]) -> Outputs:
        merged, own = Outputs.empty(len(self._inputs)), len(self._own)
        put(merged, self._found.hits, self._found.outputs)
        if own == len(self._found.rows):  # neither equal ones nor lent ones
            put(merged, self._found.rows, picked(done, slice(own)))
        else:
            fresh = Outputs.empty(len(self._firsts))
            put(fresh, self._own, picked(done, slice(own)))
            for loan, part in zip(self._loans, lent, strict=True):
                put(fresh, loan.rows, part)
            put(merged, self._found.rows, picked(fresh, self._inverse))
        if len(self._bad):
            put(merged, self._bad, picked(done, slice(own, None)))
        return merged

    def _settle(self, looked_s: float) -> None:
        rows, missing, worth = len(self._inputs), len(self._missing), self._holding.worth
        left = self._cost * missing / rows
        if left and missing < rows:
            left *= self._holding.dearness(self._missing, self._inputs)
        saved = self._cost - left
        self._holding.count(rows - missing, missing, saved - looked_s - self._kept_s)
        if worth:
            worth.look.observe(rows, looked_s)
            worth.keep.observe(len(self._own), self._kept_s)
            worth.earn(left)
            worth.settle(Use.ALL, rows, rows - missing, saved, looked_s + self._kept_s)


def _neither(found: Found) -> Rows:
    """Return the rows that have no proof; they are asked for as well, to learn why."""
    if len(found.outputs) + len(found.rows) == len(found.hits):
        return found.rows[:0]
    known = found.hits.copy()
    known[found.rows] = True
    return np.flatnonzero(~known)
