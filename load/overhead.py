"""Measure what the farm costs on top of the plain prover, side by side on the same cores.

    python load/overhead.py [--pairs 3]

Each pair does the same work twice, farm and plain prover in turn, every job with an input of
its own. The plain prover is risc0's `default_prover` of the same build on all cores. Goals are
ratios farm / plain, medians over the pairs; the exit status is 1 when one is missed.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import own

from farm import Farm, locate, pin, u32, u64, words

GUESTS = Path(__file__).resolve().parents[1] / "guest" / "blobs"
PROGRAM = GUESTS / "fibonacci.bin"
#: Segment size, and rounds of fibonacci: one segment (2^15), and two (2^16, 2^14).
PO2, ONE, TWO = 16, 1_000, 2_500
#: Scenario -> (jobs, rounds, goal).
SCENARIOS = {
    "one segment": (1, ONE, 1.05),
    "two segments": (1, TWO, 1.05),
    "four jobs of one segment": (4, ONE, 0.95),
}

_seeds = itertools.count(int(time.time()))


def inputs(count: int, rounds: int) -> list[bytes]:
    """Return as many inputs that were not asked for before."""
    return [words(u64(0), u64(next(_seeds)), u32(rounds)) for _ in range(count)]


def by_farm(farm: Farm, stdins: list[bytes]) -> float:
    """Return the seconds until every job has its verified receipt."""
    start = time.monotonic()
    jobs = [farm.submit(PROGRAM, stdin, po2=PO2) for stdin in stdins]
    for job in jobs:
        job.wait()
    return time.monotonic() - start


def by_plain(host: str, stdins: list[bytes]) -> float:
    """Return the seconds that the plain prover takes for one after the other."""
    start = time.monotonic()
    for stdin in stdins:
        with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as out:
            Path(file.name).write_bytes(stdin)
            command = [host, "plain", "--program", PROGRAM, "--input", file.name]
            command += ["--po2", str(PO2), "--out", out.name]
            subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return time.monotonic() - start


def pairs(farm: Farm, host: str, count: int) -> Iterator[tuple[str, float, float]]:
    """Yield scenario, seconds of the farm and of the plain prover; who goes first alternates."""
    for number in range(count):
        for name, (jobs, rounds, _) in SCENARIOS.items():
            runs = {
                "farm": lambda j=jobs, r=rounds: by_farm(farm, inputs(j, r)),
                "plain": lambda j=jobs, r=rounds: by_plain(host, inputs(j, r)),
            }
            order = ["farm", "plain"] if number % 2 == 0 else ["plain", "farm"]
            took = {who: runs[who]() for who in order}
            print(f"{name}: farm {took['farm']:.1f} s, plain {took['plain']:.1f} s", flush=True)
            yield name, took["farm"], took["plain"]


def main() -> int:
    """Measure, print the table, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    asked = parser.parse_args()
    with own.farm(segment_po2=PO2) as settings, Farm(settings=settings) as farm:
        host = locate.find(settings)
        slots = sum(slot.kind == "risc0" for slot in farm.ledger.slots())
        print(f"{slots} slots; the plain prover has {len(pin.cores())} cores", flush=True)
        by_farm(farm, inputs(1, 10))  # children warm, as in a farm that is up
        measured = list(pairs(farm, host, asked.pairs))
    return report(measured)


def report(measured: list[tuple[str, float, float]]) -> int:
    """Print medians beside goals; return 1 if a goal is missed."""
    rows = []
    for name, (_, _, goal) in SCENARIOS.items():
        took = [(farm, plain) for which, farm, plain in measured if which == name]
        ratio = median(farm / plain for farm, plain in took)
        row = {
            "scenario": name,
            "farm_s": round(median(farm for farm, _ in took), 1),
            "plain_s": round(median(plain for _, plain in took), 1),
            "ratio": round(ratio, 3),
            "goal": goal,
            "met": ratio <= goal,
        }
        rows.append(row)
        print(json.dumps(row))
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
