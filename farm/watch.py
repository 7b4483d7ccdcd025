"""Keep a lease while the step makes progress, and end the child when it does not.

A step moves while its child uses CPU time, or while the worker itself fetches or stores for
it. One that stands still for too long has its child killed, and is renewed no more. Everything
is counted in beats, never in clock time, so a machine that slept, or a worker that was stopped
for a while, does not find its child hung.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import structlog

from farm.errors import FarmError, LedgerDown, StepHung, StepTooLong
from farm.settings import Settings

log = structlog.get_logger()


class Dropped(FarmError):
    """The step is not this worker's any more: cancelled, given to another, or shutting down."""


class Watched(Protocol):
    """What is watched: a host child."""

    def cpu_seconds(self) -> float | None:
        """Return the CPU time used so far, None once it is gone."""

    def kill(self, reason: FarmError | None = None) -> None:
        """End it; whoever waits for its answer gets the reason."""


class _Guard:
    """One request in progress: whose it is, and for how many beats it went on and stood still."""

    def __init__(self, child: Watched, verb: str) -> None:
        self.child, self.verb = child, verb
        self.cpu = child.cpu_seconds()
        self.beats = self.still = 0
        self.storing = False

    def beat(self) -> None:
        """Count one beat, and whether there was progress in it."""
        before, self.cpu = self.cpu, self.child.cpu_seconds()
        self.beats += 1
        self.still = 0 if self.storing or self.cpu != before else self.still + 1


class Watch:
    """A thread that renews one leased step; `renew` tells whether the step is still ours."""

    def __init__(self, renew: Callable[[], bool], settings: Settings, limit_s: float) -> None:
        self._renew = renew
        self._beat = settings.beat_seconds
        self._stall, self._limit = settings.stall_seconds, limit_s
        self._guard: _Guard | None = None
        self._dropped: Dropped | None = None
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raise Dropped once the step is not ours any more."""
        if self._dropped:
            raise self._dropped

    @contextlib.contextmanager
    def over(self, child: Watched, verb: str) -> Iterator[None]:
        """Watch the child while it works on the step."""
        with self._lock:
            self.check()
            self._guard = _Guard(child, verb)
        try:
            yield
        finally:
            with self._lock:
                self._guard = None

    @contextlib.contextmanager
    def storing(self) -> Iterator[None]:
        """Count what the worker does itself, in the middle of a request, as progress."""
        guard = self._guard
        if guard:
            guard.storing = True
        try:
            yield
        finally:
            if guard:
                guard.storing = False

    def _run(self) -> None:
        while not self._stop.wait(self._beat):
            # Not while the lock is held: what is renewed may be slow to answer.
            if self._moves() and not self._still_ours():
                self._drop()
                return

    def _moves(self) -> bool:
        with self._lock:
            guard = self._guard
            if guard is None:
                return True
            guard.beat()
            hung = guard.still * self._beat >= self._stall
            if hung:
                guard.child.kill(StepHung(guard.verb, self._stall))
            elif guard.beats * self._beat >= self._limit:
                guard.child.kill(StepTooLong(guard.verb, self._limit))
            return not hung

    def _still_ours(self) -> bool:
        try:
            return self._renew()
        except LedgerDown:
            return True  # the proof goes on: the ledger forgives what it could not hear
        except Exception:
            log.exception("a lease could not be renewed")
            return True

    def _drop(self) -> None:
        with self._lock:
            self._dropped = Dropped("the step is not this worker's any more")
            if self._guard:
                self._guard.child.kill(self._dropped)
