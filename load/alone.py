"""Measure the kernel alone, in this process: what no farm on this machine can be faster than."""

import time

from rows import PROGRAM, Source

from farm import trace
from farm.witness import read_inputs

#: Rows at once: one message of a batch.
ROWS = 16_384
#: Rounds no row has.
LIMIT = 1 << 20


def kernel_us(seconds: float) -> float:
    """Return the CPU microseconds a proof of the reference's load takes on one core."""
    source = Source()
    batches = [read_inputs(PROGRAM, *source.take(ROWS)) for _ in range(4)]
    trace.prove(batches[0], LIMIT)  # it is loaded, and its pages are mapped
    end, before, count = time.monotonic() + seconds, time.process_time(), 0
    while time.monotonic() < end:
        trace.prove(batches[count % len(batches)], LIMIT)
        count += 1
    return (time.process_time() - before) * 1e6 / (count * ROWS)
