"""Start host children, so that each ends when this process does, and not before.

The kernel kills a child with its parent when the *thread* that started it ends, and a task
runs on a thread that may end: one thread that lives as long as the process starts them all.
"""

import errno
import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

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


def _new() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="host-starter")


_starter = _new()


def _renew() -> None:
    global _starter
    _starter = _new()


# A forked process has the pool, but not its thread.
os.register_at_fork(after_in_child=_renew)


def start(binary: str, cpus: Sequence[int], replay: str) -> "subprocess.Popen[bytes]":
    """Return a serving host that may use these cores; raises HostMissing, or HostDied at birth."""
    return _starter.submit(_start, binary, cpus, replay).result()


def _start(binary: str, cpus: Sequence[int], replay: str) -> "subprocess.Popen[bytes]":
    command = [binary, "serve", "--parent-pid", str(os.getpid())]
    environment = dict(os.environ)
    if cpus:
        environment |= KEEP_MEMORY
        pin.widen(cpus)  # this thread only: what a child may use is what its starter may
        command += ["--cpus", ",".join(map(str, cpus))]
    if replay:
        command += ["--replay", replay]
    try:
        return subprocess.Popen(
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
