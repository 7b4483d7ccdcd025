"""Share out the host children of one slot: each works for one step at a time.

Where a slot has more children than turns, as on a GPU, one of them can prepare the next step
while another has the turn; steps that take little of the device need no turn.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator

from farm.hosts import Host

#: Seconds between two looks at whether it is still worth waiting.
LOOK = 0.1


class Children:
    """At most `size` children, started when needed, and again when one has ended."""

    def __init__(self, start: Callable[[], Host], size: int, turns: int = 0) -> None:
        self._start = start
        self._free = threading.Semaphore(size)
        self._turns = threading.Semaphore(turns or size)
        self._idle: list[Host] = []
        self._all: set[Host] = set()
        self._lock = threading.Lock()
        #: Whether a child is there to prepare a step while another one has the turn.
        self.spare = bool(turns) and turns < size

    def add(self, child: Host) -> None:
        """Take a child that runs already for the first step."""
        with self._lock:
            self._all.add(child)
            self._idle.append(child)

    @contextlib.contextmanager
    def take(self, check: Callable[[], None]) -> Iterator[Host]:
        """Lend a child for the block; waits its turn, and leaves with what `check` raises."""
        with _acquired(self._free, check):
            check()
            child = self._living()
            try:
                yield child
            finally:
                self._put_back(child)

    @contextlib.contextmanager
    def turn(self, check: Callable[[], None]) -> Iterator[None]:
        """Have the device for the block; waits, and leaves with what `check` raises."""
        with _acquired(self._turns, check):
            yield

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

    def _living(self) -> Host:
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

    def _put_back(self, child: Host) -> None:
        with self._lock:
            if child.alive:
                self._idle.append(child)
            else:
                self._bury(child)

    def _bury(self, child: Host) -> None:
        self._all.discard(child)
        child.close()


@contextlib.contextmanager
def _acquired(room: threading.Semaphore, check: Callable[[], None]) -> Iterator[None]:
    while not room.acquire(timeout=LOOK):
        check()
    try:
        yield
    finally:
        room.release()
