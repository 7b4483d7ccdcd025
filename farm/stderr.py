"""Drain a child's stderr, so that it never blocks, and keep its last words for the error."""

import threading
from collections import deque
from typing import BinaryIO

import structlog

log = structlog.get_logger()

#: Lines kept, and characters shown of them in an error.
LINES, SHOWN = 50, 400


class Stderr:
    """A thread that reads to the end of the pipe; each line is logged and the last are kept."""

    def __init__(self, pipe: BinaryIO, pid: int) -> None:
        self._pipe, self._pid = pipe, pid
        self._lines: deque[str] = deque(maxlen=LINES)
        self._thread = threading.Thread(target=self._drain, name=f"host-stderr-{pid}", daemon=True)
        self._thread.start()

    def tail(self) -> str:
        """Return the last words in one line; waits a moment for those still in the pipe."""
        self._thread.join(1.0)
        said = " / ".join(line for line in list(self._lines) if line)
        return said[-SHOWN:] or "it said nothing"

    def join(self) -> None:
        """Wait for the end of the pipe, once the child is gone."""
        self._thread.join(1.0)

    def _drain(self) -> None:
        with self._pipe:
            # A line without end must not grow without end either.
            while line := self._pipe.readline(1 << 16):
                text = line.decode(errors="replace").rstrip()
                self._lines.append(text)
                log.info("host says", pid=self._pid, text=text)
