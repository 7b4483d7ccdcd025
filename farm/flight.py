"""Let several batches wait for one proof: whoever asks second waits for whom asked first."""

import threading
import weakref
from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple, Protocol

import numpy as np

from farm.columns import Outputs
from farm.errors import FarmError, JobAborted, WaitTimeout
from farm.follow import Clock, Progress
from farm.keying import Keys
from farm.rows import Rows

#: Only the newest flights lend, and no more keys than these together: comparing keys takes time.
MOST, MOST_KEYS = 8, 1 << 17


class Sent(Protocol):
    """Proofs that were asked for: a batch of a farm, or what does as one does."""

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return them once they are there; raises WaitTimeout, or why there will be none."""

    def cancel(self) -> bool:
        """Return whether they were still being made; waiting raises JobAborted then."""


class Landed:
    """Proofs that are here already."""

    def __init__(self, done: Outputs) -> None:
        self._done = done

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return them."""
        return self._done

    def cancel(self) -> bool:
        """Return False."""
        return False


class Once:
    """What was sent, waited for once, whoever asks and how often."""

    def __init__(self, sent: Sent) -> None:
        self._sent = sent
        self._lock = threading.Lock()

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return the results; raises what the wait raises, and is asked anew after that."""
        clock = Clock(timeout)
        rest = clock.rest()
        if not self._lock.acquire(timeout=-1 if rest is None else rest):
            raise too_late(timeout)
        try:
            done = _fixed(self._sent.wait(clock.rest(), progress))
            self._sent = Landed(done)  # what it took to get them is held no longer
            return done
        finally:
            self._lock.release()

    def cancel(self) -> bool:
        """Return whether it was still under way."""
        return self._sent.cancel()


class Flight:
    """Proofs on their way: row n is that of key n, and there may be more rows."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._sent: Once | None = None
        self._left = threading.Event()

    def departs(self, sent: Sent | None) -> None:
        """Say what was sent; None if it never left."""
        self._sent = Once(sent) if sent else None
        self._left.set()

    def lands(self, timeout: float | None, progress: Progress | None = None) -> Outputs:
        """Return the proofs; raises what waiting for them raises, FarmError if it never left."""
        clock = Clock(timeout)
        if not self._left.wait(clock.rest()):
            raise too_late(timeout)
        if self._sent is None:
            raise FarmError("the batch that was to make these proofs was not accepted")
        return self._sent.wait(clock.rest(), progress)

    def cancel(self) -> bool:
        """Return whether it was still under way."""
        return self._sent.cancel() if self._sent else False


class Loan(NamedTuple):
    """Rows that another batch proves: `rows` of mine are `theirs` of the flight."""

    flight: Flight
    rows: Rows
    theirs: Rows


class Flights:
    """The newest flights of one process; one that nobody waits for any more is forgotten."""

    def __init__(self) -> None:
        self._flying: list[weakref.ref[Flight]] = []
        self._lock = threading.Lock()

    def board(self, keys: Keys) -> tuple[list[Loan], Rows, Flight]:
        """Return which of the keys, all different, are on their way; the others; their flight."""
        with self._lock:
            flying = self._alive()
            loans = _loans(keys, _lenders(flying))
            own = _without(len(keys), loans)
            flight = Flight(keys[own])
            if len(own):
                self._flying = [weakref.ref(one) for one in [*flying, flight][-MOST:]]
        return loans, own, flight

    def remove(self, flight: Flight) -> None:
        """Lend nothing of a flight any more: its proofs are kept elsewhere, or there are none."""
        with self._lock:
            self._flying = [weakref.ref(one) for one in self._alive() if one is not flight]

    def _alive(self) -> list[Flight]:
        return [flight for ref in self._flying if (flight := ref())]


def _lenders(flying: Sequence[Flight]) -> list[Flight]:
    lenders, room = [], MOST_KEYS
    for flight in reversed(flying):
        room -= len(flight.keys)
        if room < 0:
            break
        lenders.append(flight)
    return lenders


def _loans(keys: Keys, flying: Sequence[Flight]) -> list[Loan]:
    if not flying or not len(keys):
        return []
    ends = np.cumsum([len(flight.keys) for flight in flying])
    first = Keys.joined([*(flight.keys for flight in flying), keys]).leaders()[ends[-1] :]
    owners = np.searchsorted(ends, first, side="right")
    loans = []
    for at in np.unique(owners[owners < len(flying)]).tolist():
        rows = np.flatnonzero(owners == at)
        start = ends[at] - len(flying[at].keys)
        loans.append(Loan(flying[at], rows, first[rows] - start))
    return loans


def _without(count: int, loans: Sequence[Loan]) -> Rows:
    if not loans:
        return np.arange(count)
    own = np.ones(count, np.bool_)
    for loan in loans:
        own[loan.rows] = False
    return np.flatnonzero(own)


def _fixed(done: Outputs) -> Outputs:
    # Several batches get the same columns: who changes some must not change those of others.
    for field in fields(done):
        getattr(done, field.name).flags.writeable = False
    return done


def too_late(timeout: float | None) -> WaitTimeout:
    """Return the error for proofs that another batch has not got yet."""
    return WaitTimeout("of another batch", "RUNNING", timeout)


def aborted(id: str = "") -> JobAborted:
    """Return the error for a batch that was cancelled, as the ledger has it for one of its own."""
    return JobAborted(id or "of other batches' proofs", "by request")
