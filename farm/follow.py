"""Follow a job or batch until it ends, through a ledger that is away for a while."""

import math
import threading
import time
from collections.abc import Callable, Iterator

from farm.errors import Busy, LedgerDown, WaitTimeout
from farm.job import Change, State
from farm.ledger import Ledger

#: Seconds the ledger may be away before the wait ends with LedgerDown.
PATIENCE = 60.0
#: Seconds between two tries to reach it.
AGAIN = 0.5
#: Longest wait for one change, in seconds; how soon an end that left no change is noticed.
LOOK = 5.0

#: What a caller may be told of while it waits.
Progress = Callable[[Change], None]


class Clock:
    """Counts down how long we wait; for ever, if `timeout` is None."""

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout
        self._end = math.inf if timeout is None else time.monotonic() + timeout

    def left(self) -> float:
        """Return the seconds that remain, never below 0."""
        return max(0.0, self._end - time.monotonic())

    def rest(self) -> float | None:
        """Return the same as locks and events take it: None for ever, or longer than they can."""
        left = self.left()
        return None if left > threading.TIMEOUT_MAX else left


def follow(
    ledger: Ledger, id: str, state: Callable[[], State], clock: Clock
) -> Iterator[list[Change]]:
    """Yield what becomes of the job or batch `id`, from its beginning until it has ended.

    An empty list means that nothing was heard for a while.

    Raises WaitTimeout once the time is up; the job goes on then.
    """
    patience, after = Patience(ledger.answered), "0"
    looked = False
    while True:
        try:
            # The first look does not wait: it may have ended, and lost its changes, long ago.
            block = min(LOOK, clock.left()) if looked else 0
            found = ledger.changes(id, after, int(block * 1000))
            now = found[-1].state if found else state()
        except LedgerDown as error:
            patience.away(error, clock)
            continue
        patience.back()
        looked = True
        yield found
        if now.ended:
            return
        if clock.left() <= 0:
            raise WaitTimeout(id, now, clock.timeout)
        after = found[-1].id if found else after


class Patience:
    """Waits for a farm that is busy or away, but not for one that was never there."""

    def __init__(self, answered: bool) -> None:
        self._since: float | None = None
        #: Whether it has answered yet.
        self.answered = answered

    def back(self) -> None:
        """Note that the ledger is there."""
        self.answered, self._since = True, None

    def away(self, error: LedgerDown, clock: Clock) -> None:
        """Wait before the next try; raises `error` once it has been too long."""
        self._since = self._since or time.monotonic()
        too_long = time.monotonic() - self._since > PATIENCE
        if not self.answered or too_long or not clock.left():
            raise error
        time.sleep(AGAIN)

    def busy(self, error: Busy, clock: Clock, id: str) -> None:
        """Wait as long as `error` says before batch `id` is handed in again; raises WaitTimeout."""
        self.back()
        if not clock.left():
            raise WaitTimeout(id, State.BUFFERED, clock.timeout) from error
        time.sleep(min(float(error.args[-1]), clock.left()))
