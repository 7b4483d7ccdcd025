"""Start host children, so that each ends when this process does, and a prover stands back.

The kernel kills a child with its parent when the *thread* that started it ends, and a task
runs on a thread that may end: threads that live as long as the process start them all.
"""

import errno
import os
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from farm import pin
from farm.errors import HostDied, HostMissing

#: A prover frees gigabytes after each step and takes them again for the next: kept, they need
#: not be mapped and cleared once more. Measured on a lift: 1 to 2 % less CPU time.
KEEP_MEMORY = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TOP_PAD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
}

#: How far a prover stands back for whatever else wants its core: a trace, a worker's own answers.
#: They want it for milliseconds, it for minutes. By this it is left a tenth of a core that others
#: want for good: none is starved. More of it (19) made a trace no sooner.
NICE = 10
#: Where the kernel divides a core among sessions first, nice counts only within one, and a host
#: has its own: this file makes the session itself nice.
SESSION = "/proc/{}/autogroup"
#: The kernel refuses a user who asks for that more than ten times a second.
TRIES, PAUSE = 20, 0.1


def _new() -> dict[bool, ThreadPoolExecutor]:
    # Provers have a thread of their own: what a thread gave up for them, it cannot take back.
    return {
        prover: ThreadPoolExecutor(1, thread_name_prefix="host-starter") for prover in (False, True)
    }


_starters = _new()


def _renew() -> None:
    global _starters
    _starters = _new()


# A forked process has the pools, but not their threads.
os.register_at_fork(after_in_child=_renew)


def start(binary: str, cpus: Sequence[int], replay: str) -> "subprocess.Popen[bytes]":
    """Return a serving host that may use these cores; raises HostMissing, or HostDied at birth."""
    return _starters[bool(cpus)].submit(_start, binary, cpus, replay).result()


def _start(binary: str, cpus: Sequence[int], replay: str) -> "subprocess.Popen[bytes]":
    command = [binary, "serve", "--parent-pid", str(os.getpid())]
    environment = dict(os.environ)
    if cpus:
        environment |= KEEP_MEMORY
        pin.widen(cpus)  # this thread only: what a child may use is what its starter may
        os.setpriority(os.PRIO_PROCESS, 0, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
        command += ["--cpus", ",".join(map(str, cpus))]
    if replay:
        command += ["--replay", replay]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            # Its own group: a Ctrl-C meant for the farm must not end a proof the worker finishes.
            start_new_session=True,
        )
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR):
            raise HostMissing(binary) from error
        raise HostDied("start", "no process", error.strerror or error) from error
    if cpus:
        _stand_back(process.pid)
    return process


def _stand_back(pid: int) -> None:
    """Make the session of a process nice, where the kernel divides its cores among sessions."""
    for _ in range(TRIES):
        try:
            Path(SESSION.format(pid)).write_text(str(NICE))
        except BlockingIOError:
            time.sleep(PAUSE)
        except OSError:  # no such file: nice itself counts
            return
        else:
            return
