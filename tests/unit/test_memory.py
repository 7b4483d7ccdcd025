"""Memory that is kept is not mapped anew for every buffer."""

import platform
import subprocess
import sys

import pytest

#: Frees and takes buffers as a trace worker does, and says how many pages were mapped for it.
CODE = """
import resource, sys
from farm import memory
if sys.argv[1] == "keep":
    memory.keep()
def work():
    for _ in range(100):
        buffers = [bytearray(size) for size in (700_000, 400_000, 700_000)]
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library")
def test_buffers_taken_again_are_not_mapped_again():
    faults = {}
    for how in ("keep", "leave"):
        command = [sys.executable, "-c", CODE, how]
        faults[how] = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert faults["keep"] < faults["leave"] / 10
