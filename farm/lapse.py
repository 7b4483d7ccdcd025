"""Notice what has stopped: counters that do not move any more, deadlines that have passed.

Pure; who asks brings the time. Workers count their beats up in the ledger, and a beat is missed
when a counter stood still for a beat's time on the scheduler's own clock. No wall clock of any
machine is compared with another's.
"""

import heapq
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from farm.session import JobFacts


class Lapsed(NamedTuple):
    """A counter that stood still for too long; `known` is False for one that never started."""

    field: str
    known: bool


class Watch:
    """Which counters stand still, and since when."""

    def __init__(self, beat_seconds: float, missed_beats: int, resend_seconds: float) -> None:
        self._beat, self._resend = beat_seconds, resend_seconds
        self._patience = beat_seconds * missed_beats
        self._clock = 0.0
        self._last: float | None = None
        self._since: dict[str, tuple[int | None, float]] = {}

    def look(
        self, now: float, fields: Iterable[str], counters: Mapping[str, int], *, sent: bool = True
    ) -> list[Lapsed]:
        """Return those of `fields` that stood still for too long; each is returned once.

        A field without a counter is a message that nobody has taken yet; it has `resend_seconds`,
        and is not counted while messages cannot be `sent`.
        """
        self._advance(now)
        before, self._since = self._since, {}
        lapsed = []
        for field in fields:
            count = counters.get(field)
            known, since = before.get(field, (count, self._clock))
            if count != known or (count is None and not sent):
                since = self._clock
            if self._clock - since > (self._resend if count is None else self._patience):
                lapsed.append(Lapsed(field, count is not None))
            else:
                self._since[field] = (count, since)
        return lapsed

    def _advance(self, now: float) -> None:
        # If this process or its machine slept, so may have the workers: a long gap counts as one
        # beat that was missed, not as many.
        if self._last is not None:
            self._clock += min(now - self._last, 2 * self._beat)
        self._last = now


class Deadlines:
    """When jobs run out of time, by the wall clock they were given in."""

    def __init__(self) -> None:
        self._until: dict[tuple[str, str], float] = {}
        self._heap: list[tuple[float, tuple[str, str]]] = []

    def __len__(self) -> int:
        return len(self._heap)

    def note(self, session: str, jobs: Iterable[JobFacts]) -> None:
        """Watch the jobs of a session that have a deadline."""
        for job in jobs:
            key, until = (session, job.id), job.deadline
            if until is not None and self._until.get(key) != until:
                self._until[key] = until
                heapq.heappush(self._heap, (until, key))

    def keep(self, waiting: Collection[tuple[str, str]]) -> None:
        """Forget all but those of sessions and jobs that still wait."""
        self._until = {key: until for key, until in self._until.items() if key in waiting}
        self._heap = [(until, key) for key, until in self._until.items()]
        heapq.heapify(self._heap)

    def passed(self, now: float) -> list[tuple[str, str]]:
        """Return session and job of deadlines that have passed, each once."""
        due = []
        while self._heap and self._heap[0][0] <= now:
            until, key = heapq.heappop(self._heap)
            if self._until.get(key) == until:
                del self._until[key]
                due.append(key)
        return due
