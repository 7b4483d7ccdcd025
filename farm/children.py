"""Share out the host children of one worker: each works for one step at a time."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from farm.host import HostChild

#: Seconds between two looks at whether it is still worth waiting.
LOOK = 0.1


class Children:
    """At most `size` children, started when needed, and again when one has ended."""

    def __init__(self, start: Callable[[], HostChild], size: int) -> None:
        self._start = start
        self._free = threading.Semaphore(size)
        self._idle: list[HostChild] = []
        self._all: set[HostChild] = set()
        self._lock = threading.Lock()

    def start_one(self) -> HostChild:
        """Return a child, started ahead of the first step; raises what is wrong with the host."""
        child = self._start()
        with self._lock:
            self._all.add(child)
            self._idle.append(child)
        return child

    @contextlib.contextmanager
    def take(self, check: Callable[[], None]) -> Iterator[HostChild]:
        """Lend a child for the block; waits its turn, and leaves with what `check` raises."""
        while not self._free.acquire(timeout=LOOK):
            check()
        try:
            check()
            child = self._living()
            try:
                yield child
            finally:
                self._put_back(child)
        finally:
            self._free.release()

    def kill(self) -> None:
        """End every child at once."""
        with self._lock:
            for child in self._all:
                child.kill()

    def close(self) -> None:
        """Let every child leave; call when none is at work."""
        with self._lock:
            for child in self._all:
                child.close()
            self._all.clear()
            self._idle.clear()

    def _living(self) -> HostChild:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.alive:
                    return child
                self._bury(child)
        child = self._start()
        with self._lock:
            self._all.add(child)
        return child

    def _put_back(self, child: HostChild) -> None:
        with self._lock:
            if child.alive:
                self._idle.append(child)
            else:
                self._bury(child)

    def _bury(self, child: HostChild) -> None:
        self._all.discard(child)
        child.close()
