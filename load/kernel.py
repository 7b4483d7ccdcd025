"""Measure how near the trace kernel comes to what SHA-256 allows on this core.

    python load/kernel.py [--rounds 21]

The limit, on paper: a trace is hashed once, so nobody makes more of them than hashlib hashes
bytes in one long message, over the bytes of a trace with SHA-256's padding. The load is the
reference's, every witness another, in batches as a worker gets them. All in CPU time of one
core; the share is a median over rounds that measure limit, kernel and numpy in turn. The exit
status is 1 when the kernel falls short of its goal.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from statistics import median

import numpy as np

from farm import locate, trace
from farm import settings as config
from farm.columns import Inputs
from farm.parcels import ROWS
from farm.witness import read_inputs

#: Share of the limit that the kernel reaches.
GOAL = 0.70
#: One long message: the cost of starting and ending it is nothing.
MESSAGE = bytes(8 << 20)


def load() -> Inputs:
    """Return a full batch of the reference's load: fib.v0 with n = 20 + i mod 50."""
    rows = np.arange(ROWS, dtype="<u8")
    return read_inputs("fib.v0", 20 + rows % 50, np.stack([rows, rows + 1], axis=1))


def hashed(inputs: Inputs) -> int:
    """Return the bytes that SHA-256 works on: 16 a state, padded by 9 or more to whole blocks."""
    states = 16 * (inputs.rounds.astype(np.int64) + 2)
    return int(((states + 9 + 63) // 64 * 64).sum())


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of `work`."""
    start = time.process_time()
    work()
    return time.process_time() - start


def measure(inputs: Inputs, kernel: str, rounds: int) -> dict[str, list[float]]:
    """Return proofs a second by limit, kernel and numpy, a figure each round."""
    share = len(inputs) * len(MESSAGE) / hashed(inputs)
    found: dict[str, list[float]] = {"limit": [], "kernel": [], "numpy": []}
    for _ in range(rounds):
        found["limit"].append(share / seconds(lambda: sha256(MESSAGE)))
        for name, setting in (("kernel", kernel), ("numpy", trace.NUMPY)):
            trace.choose(setting)
            took = seconds(lambda: trace.prove(inputs, 1 << 20))
            found[name].append(len(inputs) / took)
    return found


def report(inputs: Inputs, found: dict[str, list[float]]) -> int:
    """Print limit, rates, shares and goal; return 1 if the goal is missed."""
    each = hashed(inputs) / len(inputs)
    speed = median(found["limit"]) * each / 1e9
    print(f"one core hashes {speed:.2f} GB/s, a trace is {each:.0f} bytes, {len(inputs)} a batch")
    met = True
    for name, rates in found.items():
        share = median(rate / most for rate, most in zip(rates, found["limit"], strict=True))
        row: dict[str, object] = {"name": name, "proofs_per_s": round(median(rates))}
        row["share"] = round(share, 3)
        if name == "kernel":
            met = share >= GOAL
            row |= {"goal": GOAL, "met": met}
        print(json.dumps(row))
    return 0 if met else 1


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21)
    asked = parser.parse_args()
    inputs, kernel = load(), locate.kernel(config.load().kernel)
    measure(inputs, kernel, 1)  # loaded, and pages touched
    return report(inputs, measure(inputs, kernel, asked.rounds))


if __name__ == "__main__":
    sys.exit(main())
