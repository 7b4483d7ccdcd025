"""Measure what traces and RISC0 cost each other on the same cores, side by side.

    python load/mixed.py [--pairs 3] [--seconds 20]

Each pair: trace batches on an idle farm, one RISC0 job a core alone, the same with trace batches
beside it, back to back. Two goals, medians over the pairs: the p99 of a batch is at most twice
that of the idle farm and one tick of the kernel's scheduler more; and the jobs lose no more core
seconds than the trace work takes itself. The exit status is 1 when one is missed.
"""

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

import own
from curve import percentile
from meter import Meter, used
from overhead import ONE, PO2, PROGRAM, inputs
from rows import PROGRAM as TRACE
from rows import Source

from farm import Farm, Job, pin
from farm.settings import Settings

#: Proofs in a batch: one message.
ROWS = 16_384
#: The share of all cores that the provers use once every core is full.
FULL = 0.9
#: Seconds until they must be.
FULL_WITHIN = 120.0
#: CLOCK_MONOTONIC_COARSE, which is as fine as the scheduler's tick.
_COARSE = 6
#: Whose CPU time is not the trace work's: the provers', and that of who only looks on.
_NOT_TRACE = ("hosts", "supervisor")


@dataclass
class Traces:
    """Trace batches of one client, one after the other, until told to stop."""

    source: Source = field(default_factory=Source)
    #: When each began, and the seconds until its results were taken.
    took: list[tuple[float, float]] = field(default_factory=list)

    @contextmanager
    def running(self, settings: Settings) -> Iterator[None]:
        """Have the client run for the block."""
        over = threading.Event()
        with ThreadPoolExecutor(1) as pool:
            client = pool.submit(self._run, settings, over)
            try:
                yield
            finally:
                over.set()
                client.result()

    def p99(self, start: float, stop: float) -> float:
        """Return the p99, in seconds, of the batches within that time."""
        inside = [took for began, took in self.took if start <= began and began + took <= stop]
        return percentile(sorted(inside), 0.99)

    def _run(self, settings: Settings, over: threading.Event) -> None:
        with Farm(settings=settings) as farm:
            while not over.is_set():
                rows = self.source.take(ROWS)
                began = time.monotonic()
                farm.submit_many(TRACE, rows.rounds, rows.witness).wait(60)
                self.took.append((began, time.monotonic() - began))


class Ran(NamedTuple):
    """One RISC0 job a core: the core seconds they took, CPU by process, and when all were full."""

    core_seconds: float
    cpu: dict[str, float]
    full: tuple[float, float]

    @property
    def beside(self) -> float:
        """Return the CPU seconds of all that is not proving."""
        return sum(cpu for name, cpu in self.cpu.items() if name not in _NOT_TRACE)


class Pair(NamedTuple):
    """What one pair has shown, in seconds."""

    idle_p99: float
    mixed_p99: float
    #: Core seconds that the jobs took longer, and those that the trace work took.
    lost: float
    traces: float


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=20.0, help="traces on the idle farm")
    asked = parser.parse_args()
    with own.farm(segment_po2=PO2) as settings, Farm(settings=settings) as farm:
        farm.submit(PROGRAM, inputs(1, 10)[0]).wait()  # children warm, as in a farm that is up
        pairs = [pair(farm, asked.seconds, number) for number in range(asked.pairs)]
    return report(pairs)


def pair(farm: Farm, seconds: float, number: int) -> Pair:
    """Return what one pair shows; which half goes first alternates."""
    traces = Traces()
    with traces.running(farm.settings):
        time.sleep(1)  # the workers are warm
        start = time.monotonic()
        time.sleep(seconds)
    idle = traces.p99(start, time.monotonic())
    halves = {"alone": lambda: risc0(farm), "mixed": lambda: risc0(farm, traces)}
    order = ("alone", "mixed") if number % 2 == 0 else ("mixed", "alone")
    ran = {name: halves[name]() for name in order}
    alone, mixed = ran["alone"], ran["mixed"]
    found = Pair(
        idle_p99=idle,
        mixed_p99=traces.p99(*mixed.full),
        lost=mixed.core_seconds - alone.core_seconds,
        traces=mixed.beside - alone.beside,
    )
    print(
        json.dumps({name: round(value, 4) for name, value in found._asdict().items()}), flush=True
    )
    return found


def risc0(farm: Farm, traces: Traces | None = None) -> Ran:
    """Return how one job a core went, with or without traces beside them."""
    meter, cores = Meter(farm.settings.state), len(pin.cores())
    before, start = meter.read(), time.monotonic()
    jobs = [farm.submit(PROGRAM, stdin) for stdin in inputs(cores, ONE)]
    _fill(meter, cores)
    full = time.monotonic()
    if traces is None:
        ends = _ends(jobs)
    else:
        with traces.running(farm.settings):
            ends = _ends(jobs)
    return Ran(sum(end - start for end in ends), used(before, meter.read()), (full, min(ends)))


def _fill(meter: Meter, cores: int) -> None:
    """Wait until the provers use all cores."""
    for _ in range(round(FULL_WITHIN / 0.5)):
        before = meter.read()["hosts"]
        time.sleep(0.5)
        if meter.read()["hosts"] - before >= FULL * cores * 0.5:
            return
    raise SystemExit("the provers never had all cores: is something else running here?")


def _ends(jobs: list[Job]) -> list[float]:
    """Return when each job had its verified receipt."""
    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(_end, jobs))


def _end(job: Job) -> float:
    job.wait()
    return time.monotonic()


def report(pairs: list[Pair]) -> int:
    """Print both figures beside their goals; return 1 if one is missed."""
    tick = time.clock_getres(_COARSE)
    # Of each pair by itself: the machine's mood changes between them.
    slower = median((one.mixed_p99 - tick) / one.idle_p99 for one in pairs)
    lost = median(one.lost / one.traces for one in pairs)
    rows = [
        {
            "goal": "p99 of a batch, less one tick / idle p99",
            "idle_ms": round(median(one.idle_p99 for one in pairs) * 1000, 1),
            "mixed_ms": round(median(one.mixed_p99 for one in pairs) * 1000, 1),
            "tick_ms": tick * 1000,
            "ratio": round(slower, 3),
            "at_most": 2,
            "met": slower <= 2,
        },
        {
            "goal": "core seconds RISC0 lost / CPU seconds of the trace work",
            "lost_s": round(median(one.lost for one in pairs), 1),
            "traces_s": round(median(one.traces for one in pairs), 1),
            "ratio": round(lost, 3),
            "at_most": 1,
            "met": lost <= 1,
        },
    ]
    for row in rows:
        print(json.dumps(row))
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
