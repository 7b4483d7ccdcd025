"""Let several batches wait for one proof: whoever asks second waits for whom asked first."""

import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import fields
from typing import NamedTuple, overload

import numpy as np

from farm.columns import Outputs
from farm.errors import FarmError, WaitTimeout
from farm.keying import Keys
from farm.rows import Rows

#: Waits at most so many seconds (None: for ever) for results; raises WaitTimeout.
Wait = Callable[[float | None], Outputs]


class Once:
    """A wait that is waited for once, whoever asks and how often."""

    def __init__(self, wait: Wait) -> None:
        self._wait = wait
        self._done: Outputs | None = None
        self._lock = threading.Lock()

    def __call__(self, timeout: float | None) -> Outputs:
        """Return the results; raises what the wait raises, and is asked anew after that."""
        end = ending(timeout)
        if not self._lock.acquire(timeout=-1 if end is None else until(end)):
            raise too_late(timeout)
        try:
            if self._done is None:
                self._done = _fixed(self._wait(until(end)))
            return self._done
        finally:
            self._lock.release()


class Flight:
    """Proofs on their way: row n is that of key n, and there may be more rows."""

    def __init__(self, keys: Keys) -> None:
        self.keys = keys
        self._wait: Wait | None = None
        self._left = threading.Event()

    def departs(self, wait: Wait | None) -> None:
        """Say how to wait for it; None if it never left."""
        self._wait = Once(wait) if wait else None
        self._left.set()

    def lands(self, timeout: float | None) -> Outputs:
        """Return the proofs; raises what waiting for them raises, FarmError if it never left."""
        end = ending(timeout)
        if not self._left.wait(until(end)):
            raise too_late(timeout)
        if self._wait is None:
            raise FarmError("the batch that was to make these proofs was not accepted")
        return self._wait(until(end))


class Loan(NamedTuple):
    """Rows that another batch proves: `rows` of mine are `theirs` of the flight."""

    flight: Flight
    rows: Rows
    theirs: Rows


class Flights:
    """The flights of one process; one that nobody waits for any more is forgotten."""

    def __init__(self) -> None:
        self._flying: weakref.WeakSet[Flight] = weakref.WeakSet()
        self._lock = threading.Lock()

    def add(self, keys: Keys) -> Flight:
        """Return a new flight with these keys."""
        flight = Flight(keys)
        with self._lock:
            self._flying.add(flight)
        return flight

    def remove(self, flight: Flight) -> None:
        """Forget a flight: its proofs are kept elsewhere, or there are none."""
        with self._lock:
            self._flying.discard(flight)

    def loans(self, keys: Keys) -> list[Loan]:
        """Return which of the keys, all different, are on their way already."""
        with self._lock:
            flying = [flight for flight in self._flying if len(flight.keys)]
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


def ending(timeout: float | None) -> float | None:
    """Return when a wait that begins now is to end, None for one that never does."""
    endless = timeout is None or timeout > threading.TIMEOUT_MAX
    return None if timeout is None or endless else time.monotonic() + timeout


@overload
def until(end: None) -> None: ...
@overload
def until(end: float) -> float: ...
def until(end: float | None) -> float | None:
    """Return the seconds that are left until `end`, at least 0; None without an end."""
    return None if end is None else max(0.0, end - time.monotonic())


def _fixed(done: Outputs) -> Outputs:
    # Several batches get the same columns: who changes some must not change those of others.
    for field in fields(done):
        getattr(done, field.name).flags.writeable = False
    return done


def too_late(timeout: float | None) -> WaitTimeout:
    """Return the error for proofs that another batch has not got yet."""
    return WaitTimeout("of another batch", "RUNNING", timeout)
