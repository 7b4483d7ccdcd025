"""Measure single trace submits from one client process, on a farm of its own.

    python load/singles.py [--seconds 10] [--direct]

Two runs: as fast as results come back, then paced at half the rate of the goal, each proof
timed from the moment it was due. Every proof is a distinct one, and checked. The exit status is
1 when a goal is missed. With --direct the client sends small chunks itself, to compare.
"""

import argparse
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import own
from curve import Goal, percentile
from meter import Meter, used
from rows import PROGRAM, Rows, Source, outputs

from farm import Farm, TraceJob, parcels

#: Goals: proofs a second from one client process, and seconds of the p99 at half that rate.
RATE, P99 = 25_000, 0.050
#: Rows that are made at a time, and most that are asked for and not taken.
BLOCK, WINDOW = 1000, 20_000
#: Seconds between two bursts of the paced run, and that anything may take at all.
TICK, PATIENCE = 0.001, 60.0

Asked = tuple[Rows, list[TraceJob]]


class Ran(NamedTuple):
    """What one run took: proofs, seconds, CPU seconds by process, and each proof's latency."""

    proofs: int
    seconds: float
    cpu: Mapping[str, float]
    latencies: list[float]

    def line(self, name: str) -> str:
        """Return the run in a line."""
        costs = {who: cpu * 1e6 / self.proofs for who, cpu in self.cpu.items() if cpu}
        shares = ", ".join(f"{who} {us:.1f}" for who, us in sorted(costs.items()))
        rate, sum_us = self.proofs / self.seconds, sum(costs.values())
        return f"{name}: {rate:,.0f} proofs/s, {sum_us:.1f} us CPU a proof ({shares})"


def ask(farm: Farm, rows: Rows) -> list[TraceJob]:
    """Return one submit a row."""
    pairs = zip(rows.rounds.tolist(), rows.witness.tolist(), strict=True)
    return [farm.submit_trace(PROGRAM, rounds, witness) for rounds, witness in pairs]


def check(asked: Asked) -> int:
    """Return how many proofs came back; raises SystemExit for a wrong one."""
    rows, jobs = asked
    proofs = [job.wait(PATIENCE) for job in jobs]
    wrong = np.array([proof.output for proof in proofs], "<u8") != outputs(rows)
    steps = np.array([proof.steps for proof in proofs], "<u4") != rows.rounds + 2
    if wrong.any() or steps.any():
        raise SystemExit("wrong proofs came back")
    return len(proofs)


def flat_out(farm: Farm, source: Source, seconds: float) -> int:
    """Return how many proofs were taken when one thread asks and takes as fast as it can."""
    flying: deque[Asked] = deque()
    end, taken = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        rows = source.take(BLOCK)
        flying.append((rows, ask(farm, rows)))
        if len(flying) * BLOCK >= WINDOW:
            taken += check(flying.popleft())
    return taken + sum(map(check, flying))


def paced(farm: Farm, source: Source, seconds: float, rate: float) -> list[float]:
    """Return the latency of each proof when `rate` are asked for a second."""
    asked: queue.SimpleQueue[tuple[float, Rows, list[TraceJob]] | None] = queue.SimpleQueue()
    latencies: list[float] = []

    def take() -> None:
        while item := asked.get():
            due, *rest = item
            count = check((rest[0], rest[1]))
            latencies.extend([time.monotonic() - due] * count)

    taker = threading.Thread(target=take)
    taker.start()
    for due, rows in _bursts(source, seconds, rate):
        asked.put((due, rows, ask(farm, rows)))
    asked.put(None)
    taker.join()
    return latencies


def _bursts(source: Source, seconds: float, rate: float) -> Iterator[tuple[float, Rows]]:
    start, sent = time.monotonic(), 0
    for tick in range(1, int(seconds / TICK) + 1):
        due = start + tick * TICK
        time.sleep(max(0.0, due - time.monotonic()))
        count = int(tick * TICK * rate) - sent
        sent += count
        yield due, source.take(count)


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--direct", action="store_true", help="the client sends all messages")
    asked = parser.parse_args()
    if asked.direct:
        parcels.SMALL_ROWS = 0
    with own.farm() as settings, Farm(settings=settings) as farm:
        meter, source = Meter(settings.state), Source()
        flat_out(farm, source, 1.0)  # all is warm, as in a farm that is up
        before, start = meter.read(), time.monotonic()
        proofs = flat_out(farm, source, asked.seconds)
        took = time.monotonic() - start
        fast = Ran(proofs, took, used(before, meter.read()), [])
        before = meter.read()
        latencies = paced(farm, source, asked.seconds, RATE / 2)
        even = Ran(len(latencies), asked.seconds, used(before, meter.read()), sorted(latencies))
    return report(fast, even)


def report(fast: Ran, even: Ran) -> int:
    """Print figures beside goals; return 1 if a goal is missed."""
    print(fast.line("flat out"))
    print(even.line("at half the rate"))
    p50, p99 = (percentile(even.latencies, share) for share in (0.50, 0.99))
    rate = fast.proofs / fast.seconds
    goals = [
        Goal("single submits", f"{rate:,.0f} proofs/s", f">= {RATE:,}", rate >= RATE),
        Goal(
            "p99 at half that rate",
            f"{p99 * 1000:.1f} ms (median {p50 * 1000:.1f})",
            f"<= {P99 * 1000:.0f} ms",
            p99 <= P99,
        ),
    ]
    for goal in goals:
        print(f"{'met   ' if goal.met else 'MISSED'} {goal.name}: {goal.figure}, goal {goal.goal}")
    return 0 if all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
