"""Read the CPU time of every process that takes part: the farm's, the load's, our own."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import psutil

from farm import running


class Meter:
    """Knows the processes by name; those they started count with them, host children apart."""

    def __init__(self, state: Path, others: Mapping[str, int] | None = None) -> None:
        status = running.status(state)
        assert status is not None, f"no farm is up in {state}"
        self._pids = {one.name: one.pid for one in status.processes if one.pid}
        self._pids |= {"supervisor": status.pid, "measuring": os.getpid(), **(others or {})}

    def read(self) -> dict[str, float]:
        """Return the CPU seconds that each has used so far; "hosts" are all host children."""
        known, found = set(self._pids.values()), {"hosts": 0.0}
        for name, pid in self._pids.items():
            found[name] = 0.0
            for one in _tree(pid, known):
                with contextlib.suppress(psutil.Error):
                    where = "hosts" if "farm-host" in one.name() else name
                    times = one.cpu_times()
                    found[where] += times.user + times.system
        return found


def used(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the CPU seconds between two readings, by process."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


def _tree(pid: int, known: set[int]) -> list[psutil.Process]:
    """Return a process and what it started, but none that has a name of its own."""
    try:
        top = psutil.Process(pid)
        below = top.children()
    except psutil.Error:
        return []
    return [top] + [
        one for child in below if child.pid not in known for one in _tree(child.pid, known)
    ]
