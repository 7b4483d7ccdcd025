"""Whether a farm is up in a state folder: a locked pid file, and what the farm says of itself.

The lock tells, not the number in the file: it ends with the supervisor, however that ends.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

from farm import private
from farm.errors import AlreadyRunning, StoreFailed

#: A reader holds the lock for microseconds; an `up` that meets one tries again.
TRIES, PAUSE = 5, 0.05


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process that the supervisor keeps running."""

    name: str
    pid: int
    restarts: int
    state: str


class Status(msgspec.Struct, frozen=True):
    """What a farm says of itself; `ready` once every worker has answered."""

    pid: int
    ready: bool
    processes: list[ProcessStatus]
    flower: str
    flower_password: str
    notes: list[str]
    #: Where the API is, "" for nowhere.
    api: str = ""


@contextlib.contextmanager
def hold(state: Path) -> Iterator[None]:
    """Be the farm of this state folder while the block runs.

    Raises AlreadyRunning when another one is.
    """
    with _pid_file(private.folder(state)) as file:
        if not _lock(file, fcntl.LOCK_EX):
            raise AlreadyRunning(state, file.read().strip() or "starting")
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        try:
            yield
        finally:
            _status(state).unlink(missing_ok=True)
            file.truncate(0)


def holder(state: Path) -> int | None:
    """Return the process id of the farm that is up in `state`, or None."""
    if not (state / "farm.pid").exists():
        return None
    with _pid_file(state) as file:
        if _lock(file, fcntl.LOCK_SH):
            return None
        return int(file.read() or 0) or None


def publish(state: Path, status: Status) -> None:
    """Put down what the farm says of itself."""
    private.write(_status(state), msgspec.json.encode(status).decode())


def status(state: Path) -> Status | None:
    """Return what the farm in `state` says of itself, or None when none is up."""
    if holder(state) is None:
        return None
    try:
        return msgspec.json.decode(_status(state).read_bytes(), type=Status)
    except FileNotFoundError:
        return None


def _status(state: Path) -> Path:
    return state / "farm.json"


def _pid_file(state: Path) -> IO[str]:
    path = state / "farm.pid"
    try:
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreFailed(path, error.strerror) from error
    return os.fdopen(opened, "r+")


def _lock(file: IO[str], kind: int) -> bool:
    tries = TRIES if kind == fcntl.LOCK_EX else 1
    for _ in range(tries):
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(PAUSE if tries > 1 else 0)
    return False
