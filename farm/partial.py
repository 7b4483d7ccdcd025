"""One batch of which some rows are held, lent by other batches, or equal, and the rest is sent."""

from collections.abc import Callable, Sequence

import numpy as np

from farm.cache import Found
from farm.columns import Inputs, Outputs
from farm.errors import FarmError, WaitTimeout
from farm.flight import Loan, Once, Wait, ending, until
from farm.holding import Holding
from farm.rows import Rows, picked, put
from farm.worth import Use

#: Sends a batch on its way and returns how to wait for it.
Submit = Callable[[Inputs], Wait]


class Partial:
    """A batch on its way; `inputs` would cost `cost` seconds to prove."""

    def __init__(self, holding: Holding, inputs: Inputs, submit: Submit, cost: float) -> None:
        self._holding, self._inputs, self._submit, self._cost = holding, inputs, submit, cost
        #: How to wait for what was lent and came to nothing, by the number of the loan.
        self._again: dict[int, Wait] = {}
        began = holding.clock()
        with holding.lock:  # nobody may look between this look and this flight
            self._found = holding.store.look(inputs)
            self._firsts, self._inverse = self._found.keys.different()
            keys = self._found.keys[self._firsts]
            self._loans = holding.flights.loans(keys)
            self._own = _without(len(keys), self._loans)
            self._flight = holding.flights.add(keys[self._own])
        self._bad = _neither(self._found)
        asked = np.concatenate((self._found.rows[self._firsts[self._own]], self._bad))
        self._missing = inputs if len(self._own) == len(inputs) else inputs.pick(asked)
        self._spent = holding.clock() - began
        self._depart()

    def wait(self, timeout: float | None) -> Outputs:
        """Return the proofs of all rows; raises why they could not be made, or WaitTimeout."""
        end = ending(timeout)
        done = self._landed(timeout)
        clock = self._holding.clock
        began = clock()
        own = picked(done, slice(len(self._own)))
        self._holding.store.keep(self._flight.keys, own, self._found.version)
        self._holding.flights.remove(self._flight)
        kept = clock()
        # Only now that its own flight has landed does a batch wait for others: none waits for ever.
        lent = [self._lent(at, end) for at in range(len(self._loans))]
        landed = clock()
        merged = done if len(own) == len(self._inputs) else self._merged(done, lent)
        self._settle(self._spent + clock() - landed, kept - began)
        return merged

    def _depart(self) -> None:
        try:
            wait = self._submit(self._missing) if len(self._missing) else _nothing
        except BaseException:
            self._flight.departs(None)
            self._holding.flights.remove(self._flight)
            raise
        self._flight.departs(wait)

    def _landed(self, timeout: float | None) -> Outputs:
        try:
            return self._flight.lands(timeout)
        except WaitTimeout:
            raise
        except FarmError:
            self._holding.flights.remove(self._flight)
            raise

    def _lent(self, at: int, end: float | None) -> Outputs:
        loan = self._loans[at]
        if at not in self._again:
            try:
                return picked(loan.flight.lands(until(end)), loan.theirs)
            except WaitTimeout:
                raise
            except FarmError:  # its failure is not this batch's
                rows = self._found.rows[self._firsts[loan.rows]]
                self._again[at] = Once(self._submit(self._inputs.pick(rows)))
        return self._again[at](until(end))

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

    def _settle(self, looked_s: float, kept_s: float) -> None:
        rows, missing, worth = len(self._inputs), len(self._missing), self._holding.worth
        left = self._cost * missing / rows
        if left and missing < rows:
            left *= self._holding.dearness(self._missing, self._inputs)
        saved = self._cost - left
        self._holding.count(rows - missing, missing, saved - looked_s - kept_s)
        if worth:
            worth.look.observe(rows, looked_s)
            worth.keep.observe(len(self._own), kept_s)
            worth.earn(left)
            worth.settle(Use.ALL, rows, rows - missing, saved, looked_s + kept_s)


def _neither(found: Found) -> Rows:
    """Return the rows that have no proof; they are asked for as well, to learn why."""
    if len(found.outputs) + len(found.rows) == len(found.hits):
        return found.rows[:0]
    known = found.hits.copy()
    known[found.rows] = True
    return np.flatnonzero(~known)


def _without(count: int, loans: Sequence[Loan]) -> Rows:
    if not loans:
        return np.arange(count)
    own = np.ones(count, np.bool_)
    for loan in loans:
        own[loan.rows] = False
    return np.flatnonzero(own)


def _nothing(timeout: float | None) -> Outputs:
    return Outputs.empty(0)
