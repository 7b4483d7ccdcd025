"""Follow a job or batch until it ends, through a ledger that is away for a while."""

import time
from collections.abc import Callable, Iterator

from farm.errors import LedgerDown, WaitTimeout
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


def follow(
    ledger: Ledger, id: str, state: Callable[[], State], timeout: float | None
) -> Iterator[list[Change]]:
    """Yield what becomes of the job or batch `id`, from its beginning until it has ended.

    An empty list means that nothing was heard for a while.

    Raises WaitTimeout after `timeout` seconds; the job goes on then.
    """
    clock, after = _Clock(timeout), "0"
    while True:
        try:
            # The first look does not wait: it may have ended, and lost its changes, long ago.
            block = min(LOOK, clock.left()) if clock.answers else 0
            found = ledger.changes(id, after, int(block * 1000))
            now = found[-1].state if found else state()
        except LedgerDown as error:
            clock.away(error)
            continue
        clock.answered()
        yield found
        if now.ended:
            return
        if clock.left() <= 0:
            raise WaitTimeout(id, now, timeout)
        after = found[-1].id if found else after


class _Clock:
    """Counts how long we wait, and how long the ledger has been away."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout
        self._away_since: float | None = None
        #: Whether it has answered yet.
        self.answers = False

    def left(self) -> float:
        """Return the seconds that remain, never below 0."""
        return LOOK if self._end is None else max(0.0, self._end - time.monotonic())

    def answered(self) -> None:
        """Note that the ledger is there."""
        self.answers, self._away_since = True, None

    def away(self, error: LedgerDown) -> None:
        """Wait before the next try; raises `error` once it has been too long.

        A ledger that never answered is not waited for: most likely there is no farm.
        """
        self._away_since = self._away_since or time.monotonic()
        too_long = time.monotonic() - self._away_since > PATIENCE
        if not self.answers or too_long or self.left() <= 0:
            raise error
        time.sleep(AGAIN)
