"""Decide which small chunks of trace batches share a message, and when it is sent. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from farm.outbox import Envelope


class Waiting(NamedTuple):
    """A chunk whose message is to be sent: its rows and steps, since when it waits, its event."""

    message: Envelope
    rows: int
    steps: int
    since: float
    event: str


class Limits(NamedTuple):
    """Most rows, steps and chunks of one message, and most seconds that a chunk waits for others.

    A chunk that is larger than that alone goes alone.
    """

    rows: int
    steps: int
    chunks: int
    linger: float


class Regroup:
    """The chunks that wait, oldest first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, chunk: Waiting) -> None:
        """Have a chunk wait."""
        self._waiting.append(chunk)

    def due(self) -> float | None:
        """Return the time at which the oldest has waited long enough, None if nothing waits."""
        return self._waiting[0].since + self._limits.linger if self._waiting else None

    def take(self, now: float, *, idle: bool) -> list[list[Waiting]]:
        """Return the groups to be sent now, in order of arrival; they wait no more.

        Full ones go at once, the last one too if a worker is `idle` or a chunk has waited long.
        """
        groups = list(self._groups())
        self._waiting = []
        if groups and not idle and now < groups[-1][0].since + self._limits.linger:
            self._waiting = groups.pop()
        return groups

    def put_back(self, group: list[Waiting]) -> None:
        """Have a group wait again that could not be sent."""
        self._waiting = group + self._waiting

    def _groups(self) -> Iterator[list[Waiting]]:
        most, group = self._limits, list[Waiting]()
        rows = steps = 0
        for chunk in self._waiting:
            rows, steps = rows + chunk.rows, steps + chunk.steps
            if group and (len(group) >= most.chunks or rows > most.rows or steps > most.steps):
                yield group
                group, rows, steps = [], chunk.rows, chunk.steps
            group.append(chunk)
        if group:
            yield group
