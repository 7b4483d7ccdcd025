"""Be the GPU of a simulated slot: one step at a time, so much memory, a record of what it did.

The record is a file a slot and process under the state folder: a line when a step begins on the
device, and one when it ends. A step that was killed has no second line.
"""

import contextlib
import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from farm.errors import HostDied
from farm.simulated_profile import Work
from farm.simulated_receipts import Played

#: Seconds between two looks at whether who waits for the device has been killed.
LOOK = 0.25
#: Steps that go before the others which wait: short, and somebody waits for their product. (A card
#: does so by the priority of streams.)
FIRST = frozenset({"join", "resolve", "union"})


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: a step begins (it has a verb), or the step with this number ends (it has none)."""

    #: Unix time.
    at: float
    #: "<slot> <process>-<number>".
    step: str
    verb: str = ""
    label: str = ""
    span: tuple[int, int] = (0, 0)


class Device:
    """One simulated GPU, shared by the children of its slot."""

    def __init__(self, slot: str, gib: float, folder: Path) -> None:
        self._slot, self._gib = slot, gib
        self._path = folder / f"{slot}-{os.getpid()}.jsonl"
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._waiting: list[tuple[bool, int]] = []
        self._taken = False
        self._file: int | None = None

    @contextlib.contextmanager
    def working(
        self, verb: str, work: Work, of: Played | None, check: Callable[[], None]
    ) -> Iterator[None]:
        """Have the device for the block; leaves with what `check` raises while it is waited for.

        Raises HostDied for a step that does not fit: a real host does not outlive that.
        """
        if work.gib > self._gib:
            why = f"out of memory: it takes {work.gib:g} GiB of {self._gib:g}"
            raise HostDied(verb, "signal SIGABRT", why)
        number = next(self._numbers)
        self._take((verb not in FIRST, number), check)
        try:
            step = f"{self._slot} {os.getpid()}-{number}"
            label, span = (of.label, of.span) if of else ("", (0, 0))
            self._write(Line(time.time(), step, verb, label, span))
            yield
            self._write(Line(time.time(), step))
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()

    def _take(self, place: tuple[bool, int], check: Callable[[], None]) -> None:
        with self._changed:
            heapq.heappush(self._waiting, place)
            try:
                while self._taken or self._waiting[0] != place:
                    self._changed.wait(LOOK)
                    check()
                self._taken = True
            finally:
                self._waiting.remove(place)
                heapq.heapify(self._waiting)
                self._changed.notify_all()

    def _write(self, line: Line) -> None:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        # One write a line: whoever reads meanwhile, or after a kill, finds whole lines.
        os.write(self._file, msgspec.json.encode(line) + b"\n")


def folder(state: Path) -> Path:
    """Return where the records of a farm's simulated devices are."""
    return state / "simulated"


def read(state: Path) -> Iterator[Line]:
    """Yield all that the devices of a farm have recorded, device by device."""
    for path in sorted(folder(state).glob("*.jsonl")):
        for raw in path.read_bytes().splitlines():
            yield msgspec.json.decode(raw, type=Line)
