"""Gather single trace submits into batches: one thread sends them and takes their results.

Rows wait in a lot of their program until it is sent: at once while no other batch is on its way,
else after the linger.
"""

import contextlib
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterable

from farm.entry import Intake
from farm.errors import Busy, FarmError, LedgerDown, WaitTimeout
from farm.follow import Clock, Patience
from farm.job import State
from farm.lot import Lot, TraceJob
from farm.trace_plain import PROGRAMS, unknown
from farm.underway import Underway

#: Most rows of a lot: one message. And about how many witness words: 8 MiB.
ROWS, WORDS = 16_384, 1 << 20
#: Most lots that wait to be accepted; over it the client is busy.
LOTS = 64
#: Seconds until a farm that is busy is asked again.
BUSY_SECONDS = 0.05
#: Seconds without work after which the thread ends; the next submit starts another.
REST_SECONDS = 30.0
#: Seconds that closing gives to what is not accepted yet.
CLOSE_SECONDS = 10.0


class Gatherer:
    """The single submits of one client. Safe to use from several threads."""

    def __init__(
        self, intake: Intake, linger: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._intake, self._linger, self._clock = intake, linger, clock
        self._begin()
        _here.add(self)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        #: Whether a submit has to wake the thread, or to start it.
        self._idle = True
        self._closing = self._hurry = False
        #: Lots not accepted yet, oldest first; those by program can be added to.
        self._lots: list[Lot] = []
        self._open: dict[str, Lot] = {}
        #: Why a lot was not accepted, until `flush` has said so.
        self._refusal: FarmError | None = None
        # The rest is the thread's alone.
        self._underway = Underway(self._intake, self._clock)
        self._patience = Patience(self._intake.ledger.answered)
        self._resume = 0.0

    def submit(
        self, program: str, rounds: int | None = None, witness: Iterable[int] | None = None
    ) -> TraceJob:
        """Return the proof to be made; raises BadTrace, or Busy when too many wait already."""
        with self._lock:
            lot = self._open.get(program)
            if lot is None:
                lot = self._new(program)
            at = lot.add(rounds, witness)
            if at + 1 >= ROWS or lot.words >= WORDS:
                del self._open[program]
            if self._idle:
                self._rouse()
        return TraceJob(lot, at)

    def _new(self, program: str) -> Lot:
        if program not in PROGRAMS:
            raise unknown(program)
        if len(self._lots) >= LOTS:
            raise Busy("the number of single traces not accepted yet", LOTS * ROWS, 1)
        lot = self._open[program] = Lot(program, self._clock(), self.start)
        self._lots.append(lot)
        return lot

    def start(self) -> None:
        """Have the thread run."""
        if self._thread is None:
            with self._lock:
                self._rouse()

    def _rouse(self) -> None:
        self._idle = False
        self._news.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="gatherer", daemon=True)
            self._thread.start()

    def flush(self, timeout: float | None = None) -> None:
        """Return once all that was submitted is accepted.

        Raises WaitTimeout, or why something could not be; each time what is new of that.
        """
        with self._lock:
            lots = {lot for lot in self._lots if len(lot)}
            if lots:
                self._hurry = True
                self._rouse()
            if not self._news.wait_for(lambda: lots.isdisjoint(self._lots), timeout):
                raise WaitTimeout("of a single trace", State.BUFFERED, timeout)
            refusal, self._refusal = self._refusal, None
        if refusal:
            raise refusal

    def close(self) -> None:
        """End the thread, once what waits is accepted; another submit or wait starts it again."""
        with contextlib.suppress(FarmError):
            self.flush(CLOSE_SECONDS)
        with self._lock:
            thread, self._closing = self._thread, True
            self._news.notify_all()
        if thread:
            thread.join()
        with self._lock:
            self._closing = False
            # Submitted meanwhile, or somebody waits for it.
            waited = any(lot.waited for lot in self._underway.lots())
            if any(map(len, self._lots)) or waited:
                self._rouse()

    def _run(self) -> None:
        while self._stays():
            try:
                self.turn()
            except LedgerDown as error:
                self._fail(error)
            except Exception as error:  # whoever waits must hear of it
                self._fail(FarmError(f"client: {type(error).__name__}: {error}"))

    def _stays(self) -> bool:
        """Sleep while there is nothing to do; return whether there is."""
        with self._lock:
            while not self._closing:
                if self._underway or any(map(len, self._lots)):
                    return True
                self._idle = True
                if not self._news.wait(REST_SECONDS) and self._idle:
                    break
            self._thread, self._idle = None, True
            return False

    def turn(self) -> None:
        """Send what is due and take what is there; waits about the linger for either.

        Raises LedgerDown once that is away for too long.
        """
        try:
            for lot in self._due(self._clock()):
                self._send(lot)
            if self._underway:
                self._underway.receive(max(1, int(self._linger * 1000)))
            elif self._clock() < self._resume:
                time.sleep(BUSY_SECONDS)
            if not self._underway:
                self._underway.forget()
            self._patience.back()
        except LedgerDown as error:
            self._patience.away(error, Clock(None))

    def _due(self, now: float) -> list[Lot]:
        with self._lock:
            ready = [lot for lot in self._lots if len(lot)]
            if not ready or now < self._resume:
                return []
            oldest = ready[0]
            filling = oldest is self._open.get(oldest.program)
            young = now < oldest.since + self._linger
            if self._underway and filling and young and not self._hurry:
                return []
            self._open.clear()
            # One whose only row was refused stays empty.
            self._lots = list(ready)
            self._hurry = False
            return ready

    def _send(self, lot: Lot) -> None:
        try:
            self._underway.send(lot)
        except Busy:
            self._resume = self._clock() + BUSY_SECONDS
            return
        except LedgerDown:
            raise
        except FarmError as error:
            self._refusal = error
            lot.fail(error)
        with self._lock:
            self._lots.remove(lot)
            self._news.notify_all()

    def _fail(self, error: FarmError) -> None:
        """Give up all there is."""
        with self._lock:
            lots = list(self._lots)
            self._open.clear()
        for lot in lots:
            self._refusal = error
            lot.fail(error)
        with self._lock:
            self._lots = [lot for lot in self._lots if lot not in lots]
            self._news.notify_all()
        self._underway.fail(error)

    def forked(self) -> None:
        """Begin anew in the child of a fork: thread, locks and lots are the parent's."""
        lots = {*self._lots, *self._underway.lots()}
        self._begin()
        for lot in lots:
            lot.disown()


_here: weakref.WeakSet[Gatherer] = weakref.WeakSet()


def _after_fork() -> None:
    for gatherer in list(_here):
        gatherer.forked()


os.register_at_fork(after_in_child=_after_fork)
