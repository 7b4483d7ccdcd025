"""Read how a child process is doing: the CPU time it has used, the memory it has needed."""

import contextlib
from pathlib import Path

import psutil


def cpu_seconds(pid: int) -> float | None:
    """Return the CPU time the process has used so far, None once it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return times.user + times.system


def peak_bytes(pid: int) -> int:
    """Return the most memory the process held since the peak was forgotten, 0 if not known."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) << 10
    return 0


def forget_peak(pid: int) -> None:
    """Count the peak from now on; where the kernel refuses, it stays that of the whole life."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
