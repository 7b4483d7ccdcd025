"""Wait for signals with a time limit, on the main thread."""

import os
import select
import signal
from types import FrameType, TracebackType
from typing import Any

#: What asks for an end; a second one, or the last of these, asks for it at once.
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


class Signals:
    """Catches the signals that stop us, and the end of children, while the block runs."""

    def __enter__(self) -> "Signals":
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)
        self._wakeup = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        caught = (*STOPPING, signal.SIGCHLD)
        self._before: dict[int, Any] = {n: signal.signal(n, _nothing) for n in caught}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self._read)
        os.close(self._write)

    def wait(self, seconds: float) -> list[int]:
        """Return the stopping signals that came, as soon as any signal comes or time is up."""
        if not select.select([self._read], [], [], seconds)[0]:
            return []
        return [number for number in os.read(self._read, 512) if number in STOPPING]


def _nothing(number: int, frame: FrameType | None) -> None:
    """Be a handler: a signal without one would not reach the pipe."""
