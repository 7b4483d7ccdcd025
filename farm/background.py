"""A farm seen from another process: start it in the background, stop it."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from farm import leash, logs, private, running
from farm.errors import AlreadyRunning, StartFailed
from farm.report import Say
from farm.settings import Settings
from farm.supervise import TELL_SECONDS
from farm.up import check, environment

#: Seconds between two looks.
PAUSE = 0.05
#: Seconds a farm that was told to end at once gets before it is killed.
LAST_SECONDS = 15.0
NOW = "`farm down --now` ends them"


def start(settings: Settings, *, leashed: bool = False) -> running.Status:
    """Start a farm in the background; return what it says once it is ready.

    It outlives this process unless `leashed`: then it ends with the calling thread.

    Raises AlreadyRunning, PortInUse, StartFailed, or what is wrong with a given ledger.
    """
    if pid := running.holder(settings.state):
        raise AlreadyRunning(settings.state, pid)
    check(settings)
    log = private.folder(settings.state / "logs") / "farm.log"
    farm = _launch(settings, log, leashed=leashed)
    try:
        while farm.poll() is None:
            if (found := running.status(settings.state)) and found.ready:
                return found
            time.sleep(PAUSE)
    except BaseException:
        farm.send_signal(signal.SIGQUIT)
        farm.wait()
        raise
    raise StartFailed("the farm", logs.last_line(log), log)


def _unsaid(line: str) -> None:
    """Take a line that nobody wants."""


def stop(settings: Settings, *, now: bool = False, say: Say = _unsaid) -> bool:
    """End the farm and wait until it is gone; return False when none was up.

    Steps in progress are let finish for `stop_seconds`, or with `now` not at all.
    """
    pid = running.holder(settings.state)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError), _opened(pid) as farm:
        signal.pidfd_send_signal(farm, signal.SIGQUIT if now else signal.SIGTERM)
        if _has_ended(farm, TELL_SECONDS):
            return True
        if not now:
            say(f"steps in progress get {settings.stop_seconds:g} s to finish; {NOW}")
        if not _has_ended(farm, LAST_SECONDS + (0 if now else settings.stop_seconds)):
            # Its children are leashed and end with it.
            signal.pidfd_send_signal(farm, signal.SIGKILL)
            _has_ended(farm, None)
    return True


def _has_ended(handle: int, seconds: float | None) -> bool:
    return bool(select.select([handle], [], [], seconds)[0])


@contextlib.contextmanager
def _opened(pid: int) -> Iterator[int]:
    """Yield a handle that stays this process's, and is readable once it has ended."""
    handle = os.pidfd_open(pid)
    try:
        yield handle
    finally:
        os.close(handle)


def _launch(settings: Settings, log: Path, *, leashed: bool) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [*(leash.command() if leashed else ()), sys.executable, "-P", "-m", "farm", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(settings),
            start_new_session=True,
        )
