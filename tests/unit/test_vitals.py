"""How a process is doing, and that one which is gone is no error."""

import os
import subprocess
import sys

from farm import vitals


def test_work_takes_cpu_time_and_memory():
    before = vitals.cpu_seconds(os.getpid())
    vitals.forget_peak(os.getpid())
    held = bytearray(os.urandom(1 << 20) * 40)
    assert vitals.peak_bytes(os.getpid()) > len(held)
    assert sum(range(3_000_000))
    assert vitals.cpu_seconds(os.getpid()) > before


def test_one_that_is_gone_has_none():
    gone = subprocess.Popen([sys.executable, "-S", "-c", ""])
    gone.wait()
    assert vitals.cpu_seconds(gone.pid) is None
    assert vitals.peak_bytes(gone.pid) == 0
    vitals.forget_peak(gone.pid)
