"""A farm seen from another process: start it in the background, wait for it, stop it."""

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

from farm import logs, private, running
from farm.errors import AlreadyRunning, LedgerDown, StartFailed
from farm.settings import Settings
from farm.up import check, environment

#: Seconds between two looks.
PAUSE = 0.05
#: Seconds a farm that was told to end at once gets before it is killed.
LAST_SECONDS = 15.0


def start(settings: Settings) -> running.Status:
    """Start a farm that outlives this process; return what it says once it is ready.

    Raises AlreadyRunning, PortInUse, StartFailed, or what is wrong with a given ledger.
    """
    if pid := running.holder(settings.state):
        raise AlreadyRunning(settings.state, pid)
    check(settings)
    log = private.folder(settings.state / "logs") / "farm.log"
    farm = _launch(settings, log)
    try:
        while farm.poll() is None:
            if (found := running.status(settings.state)) and found.ready:
                return found
            time.sleep(PAUSE)
    except BaseException:
        farm.terminate()
        raise
    raise StartFailed("the farm", logs.last_line(log), log)


def wait_ready(settings: Settings, timeout: float) -> running.Status:
    """Return what the farm says of itself once every worker has answered.

    Raises LedgerDown when no farm is up, or it is not ready in `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while running.holder(settings.state):
        if (found := running.status(settings.state)) and found.ready:
            return found
        if time.monotonic() > deadline:
            raise LedgerDown(settings.state, f"the farm is not ready after {timeout:g} s")
        time.sleep(PAUSE)
    raise LedgerDown(settings.state, "no farm is up there")


def stop(settings: Settings, *, now: bool = False) -> bool:
    """End the farm and wait until it is gone; return False when none was up.

    Steps in progress are let finish for `stop_seconds`, or with `now` not at all.
    """
    pid = running.holder(settings.state)
    if pid is None:
        return False
    with contextlib.suppress(psutil.NoSuchProcess):
        farm = psutil.Process(pid)
        farm.send_signal(signal.SIGQUIT if now else signal.SIGTERM)
        try:
            farm.wait(LAST_SECONDS + (0 if now else settings.stop_seconds))
        except psutil.TimeoutExpired:
            farm.kill()  # its children are leashed and end with it
            farm.wait()
    return True


def _launch(settings: Settings, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "farm", "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=environment(settings),
            start_new_session=True,
        )
