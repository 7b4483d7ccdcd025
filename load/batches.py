"""Measure trace batches end to end from one client process, on a farm of its own.

    python load/batches.py [--seconds 10] [--rows 65536] [--flying 6]

The reference's load, every witness another; some batches are always under way. Results are
taken in the client, checked, and 1 % of them computed again there. CPU time is that of every
process of the farm and of the client, without what making and checking the rows took; the kernel
alone is timed in the same minute. The exit status is 1 when a goal is missed.
"""

import argparse
import sys
import time
from collections import deque
from dataclasses import dataclass, field

import alone
import own
from curve import OVERHEAD_US, PEAK, Goal
from meter import Meter, used
from rows import PROGRAM, Faults, Rows, Source, faults

from farm import Batch, Farm

#: Share of the proofs that is computed again, and seconds that a batch may take.
SAMPLE, PATIENCE = 0.01, 60.0
#: Seconds of the kernel alone, before and after.
CALIBRATION = 1.5


@dataclass
class Client:
    """One thread that keeps several batches under way."""

    farm: Farm
    rows: int
    flying: int
    source: Source = field(default_factory=Source)
    #: Proofs taken, those computed again, and the CPU seconds of making and checking rows.
    taken: int = 0
    sampled: int = 0
    own_s: float = 0.0

    def run(self, seconds: float) -> float:
        """Load the farm; return the seconds until all that was asked for was taken."""
        start, under_way = time.monotonic(), deque[tuple[Rows, Batch]]()
        while time.monotonic() < start + seconds:
            while len(under_way) < self.flying:
                under_way.append(self._ask())
            self._take(*under_way.popleft())
        for one in under_way:
            self._take(*one)
        return time.monotonic() - start

    def _ask(self) -> tuple[Rows, Batch]:
        before = time.thread_time()
        rows = self.source.take(self.rows)
        self.own_s += time.thread_time() - before
        return rows, self.farm.submit_many(PROGRAM, rows.rounds, rows.witness)

    def _take(self, rows: Rows, batch: Batch) -> None:
        done = batch.wait(PATIENCE)
        before = time.thread_time()
        if (found := faults(rows, done)) != Faults():
            raise SystemExit(str(found))
        self.sampled += batch.verify(SAMPLE)
        self.own_s += time.thread_time() - before
        self.taken += len(done)


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rows", type=int, default=65_536, help="proofs in one batch")
    parser.add_argument("--flying", type=int, default=6, help="batches under way")
    asked = parser.parse_args()
    kernel = alone.kernel_us(CALIBRATION)
    with own.farm() as settings, Farm(settings=settings) as farm:
        meter = Meter(settings.state)
        Client(farm, asked.rows, asked.flying).run(1.0)  # all is warm, as in a farm that is up
        client, before = Client(farm, asked.rows, asked.flying), meter.read()
        seconds = client.run(asked.seconds)
        cpu = used(before, meter.read())
    kernel = (kernel + alone.kernel_us(CALIBRATION)) / 2
    return report(client, seconds, cpu, kernel)


def report(client: Client, seconds: float, cpu: dict[str, float], kernel: float) -> int:
    """Print CPU microseconds a proof by process, and figures beside goals."""
    costs = {name: spent * 1e6 / client.taken for name, spent in cpu.items() if spent}
    costs["measuring"] -= (made := client.own_s * 1e6 / client.taken)
    for name, cost in sorted(costs.items(), key=lambda pair: -pair[1]):
        print(f"{name:12} {cost:6.3f} us CPU a proof")
    print(f"{'rows, checks':12} {made:6.3f} us, not counted; {client.sampled:,} computed again")
    rest, rate = sum(costs.values()) - kernel, client.taken / seconds
    print(f"{'kernel alone':12} {kernel:6.3f} us")
    goals = [
        Goal("batches", f"{rate:,.0f} proofs/s", f">= {PEAK:,}", rate >= PEAK),
        Goal("all but the kernel", f"{rest:.3f} us", f"<= {OVERHEAD_US}", rest <= OVERHEAD_US),
    ]
    for goal in goals:
        print(f"{'met   ' if goal.met else 'MISSED'} {goal.name}: {goal.figure}, goal {goal.goal}")
    return 0 if all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
