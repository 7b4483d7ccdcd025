"""One process that the supervisor keeps running: leashed, logged, restarted with patience."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import IO

from farm import leash, logs
from farm.errors import StoreFailed
from farm.processes import Process

#: Exit status of a process that cannot work here, whatever is tried.
CANNOT_WORK = 3

#: Seconds before a restart: doubled at each early death, up to the last one.
FIRST_DELAY, LAST_DELAY = 0.2, 30.0
#: Seconds after which a process counts as having worked.
SETTLED = 10.0


class State(StrEnum):
    """What a child is doing."""

    RUNNING = "running"
    WAITING = "waiting"
    REFUSED = "refused"
    STOPPED = "stopped"


class Child:
    """One process and what became of it."""

    def __init__(self, process: Process, log: Path, env: Mapping[str, str]) -> None:
        self.process, self.log, self.env = process, log, env
        self.state, self.restarts, self.early = State.STOPPED, 0, 0
        self._running: subprocess.Popen[bytes] | None = None
        self._since = self._next = 0.0

    @property
    def pid(self) -> int:
        """Return the process id, or 0 while there is none."""
        return self._running.pid if self._running and self.state is State.RUNNING else 0

    def start(self) -> None:
        """Start the process; it dies when this one does. Call from the main thread only.

        Raises StoreFailed when its log cannot be written.
        """
        try:
            with self.log.open("ab") as out:
                self._running = self._launch(out)
        except OSError as error:
            raise StoreFailed(self.log, error.strerror) from error
        self.state, self._since = State.RUNNING, time.monotonic()

    def watch(self) -> str:
        """Restart the process when its time has come; return a line when it has ended."""
        if self.state is State.WAITING and time.monotonic() >= self._next:
            return self._restart()
        if self.state is not State.RUNNING or (status := self.reap()) is None:
            return ""
        if status == CANNOT_WORK:
            self.state = State.REFUSED
            return f"{self.process.name} cannot work: {logs.last_line(self.log)}"
        if time.monotonic() - self._since > SETTLED:
            self.early = 0
        self._wait()
        return f"{self.process.name} {_ending(status)}; starting it again (see {self.log})"

    def reap(self) -> int | None:
        """Return the exit status once the process has ended, with what it left in its group."""
        if self._running is None or self.state is not State.RUNNING:
            return self._running.returncode if self._running else 0
        # Look before reaping: until then the group's number cannot be somebody else's.
        options = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self._running.pid, options) is None:
            return None
        self._signal_group(signal.SIGKILL)
        self.state = State.STOPPED
        return self._running.wait()

    def terminate(self) -> None:
        """Ask the process to finish what it is doing and leave; its own children are let be."""
        if self._running and self.state is State.RUNNING:
            os.kill(self._running.pid, signal.SIGTERM)
        self._settle()

    def kill(self) -> None:
        """End the process and its group at once."""
        if self._running and self.state is State.RUNNING:
            self._signal_group(signal.SIGKILL)
        self._settle()

    def _launch(self, out: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*leash.command(), *self.process.command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=self.env,
            # A terminal's Ctrl-C must reach the supervisor alone.
            start_new_session=True,
        )

    def _restart(self) -> str:
        self.restarts += 1
        try:
            self.start()
        except StoreFailed as error:
            self._wait()
            return str(error)
        return ""

    def _wait(self) -> None:
        delay = min(LAST_DELAY, FIRST_DELAY * 2**self.early)
        self.early += 1
        self.state, self._next = State.WAITING, time.monotonic() + delay

    def _settle(self) -> None:
        if self.state is State.WAITING:
            self.state = State.STOPPED

    def _signal_group(self, number: signal.Signals) -> None:
        if self._running:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._running.pid, number)


def _ending(status: int) -> str:
    if status < 0:
        return f"was ended by {signal.Signals(-status).name}"
    return f"ended with status {status}"
