"""Decide which jobs of a guest that takes a list are executed together, and when.

Pure; who asks brings the time. While the provers have other work nothing is lost by waiting for
more, so a list is closed early only where something would idle.
"""

from collections.abc import Hashable

#: How many times the wait a list is kept open for, at most, while the provers are busy.
BUSY = 30


class Gatherings:
    """Lists that are open: of `size` members at most, that wait `wait` seconds for each other."""

    def __init__(self, size: int, wait: float) -> None:
        self._size, self._wait = size, wait
        #: Whose list it is -> its members, oldest first, and when each came.
        self._open: dict[Hashable, dict[str, float]] = {}
        self._where: dict[str, Hashable] = {}
        self._urgent: set[Hashable] = set()

    def __len__(self) -> int:
        return len(self._where)

    def add(self, key: Hashable, name: str, at: float, *, urgent: bool = False) -> None:
        """Let a member wait with those of the same key; an urgent one waits for nobody."""
        if name not in self._where:
            self._where[name] = key
            self._open.setdefault(key, {})[name] = at
        if urgent:
            self._urgent.add(self._where[name])

    def leave(self, name: str) -> None:
        """Let a member wait no more, if it does."""
        if name in self._where:
            key = self._where.pop(name)
            self._open[key].pop(name)
            if not self._open[key]:
                self._open.pop(key)
                self._urgent.discard(key)

    def due(self, now: float, *, busy: bool) -> list[list[str]]:
        """Return the lists that are closed, which wait no more; `busy` if nothing would idle."""
        found = []
        for key in [*self._open]:
            while names := self._closed(key, now, busy):
                found.append(names)
                for name in names:
                    self.leave(name)
        return found

    def _closed(self, key: Hashable, now: float, busy: bool) -> list[str]:
        members = self._open.get(key, {})
        if not members:
            return []
        waited = now - next(iter(members.values()))
        patience = self._wait * (BUSY if busy else 1)
        if len(members) >= self._size or key in self._urgent or waited >= patience:
            return [*members][: self._size]
        return []
