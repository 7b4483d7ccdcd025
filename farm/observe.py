"""Tell the ledger, now and then, what steps have cost, for the cost models to learn from.

Only a sample is told, at most once a second and several at once, and no step fails because
nobody heard it.
"""

import threading
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog

from farm.terms import RULES, SIZED, Features, Observation, risc0_name

log = structlog.get_logger()

#: Shortest time between two tellings, and about how many observations go into one.
SECONDS, TOGETHER = 1.0, 8

#: Makes observations; asked only if they will be told.
Seen = Callable[[], Sequence[Observation]]


class Observer:
    """Gathers what the steps of one process have cost; `send` takes it to the ledger as JSON."""

    def __init__(self, send: Callable[[str], object]) -> None:
        self._send = send
        self._batch: list[Observation] = []
        self._due = 0.0
        self._lock = threading.Lock()

    def note(self, seen: Seen) -> None:
        """Keep what was seen, unless enough is kept, and tell it all if it is time to."""
        try:
            if len(self._batch) < TOGETHER:
                self._batch.extend(seen())
            if batch := self._ripe(time.monotonic()):
                self._send(msgspec.json.encode(batch).decode())
        except Exception as error:
            log.warning("cost not told", error=str(error))

    def _ripe(self, now: float) -> list[Observation]:
        with self._lock:
            if now < self._due or not self._batch:
                return []
            batch, self._batch, self._due = self._batch, [], now + SECONDS
            return batch


def of_answer(
    verb: str, device: str, features: Features, cpu: float, wall: float
) -> list[Observation]:
    """Return what is learned from a host's answer: its CPU seconds, and those of the clock.

    Nothing, where the size of what it worked on is not known.
    """
    if verb in SIZED and not (features.po2 or features.cycles):
        return []
    took = {risc0_name(verb, device): cpu, risc0_name(verb, device, wall=True): wall}
    return [
        Observation(name, seconds, features)
        for name, seconds in took.items()
        if name in RULES and seconds > 0
    ]
