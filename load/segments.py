"""Measure one job of four segments: against what its own steps allow, and the plain prover.

    python load/segments.py [--pairs 1]

On the cores of this machine. The bound is the list schedule of the steps that the farm did, each as
long and as wide as it was measured: nobody who does these steps could be sooner but by luck. Both
goals are ratios, the worst of the pairs; the exit status is 1 when one is missed.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import own
from overhead import PO2, by_farm, by_plain, inputs

from farm import Farm, locate, pin
from farm.session import Span

#: Rounds of fibonacci that make four segments of 2^16.
ROUNDS = 9_600
SEGMENTS = 4
#: Wall time by the bound; by the plain prover's.
BOUND, PLAIN = 1.08, 1.05

_ANSWER = re.compile(
    r"host answered.* seconds=([\d.]+) .*step='job \S+ (?:prove|join) (\d+)-(\d+) width (\d+)'"
)


class Done(NamedTuple):
    """What a step took: seconds of the clock, and cores."""

    seconds: float
    width: int


def answered(logs: str) -> dict[Span, Done]:
    """Return the proofs and joins that workers' logs tell of; verbs of one step add up."""
    found: dict[Span, Done] = {}
    for seconds, start, end, width in _ANSWER.findall(logs):
        span = Span(int(start), int(end))
        before = found.get(span, Done(0.0, 0)).seconds
        found[span] = Done(before + float(seconds), int(width))
    return found


def bound(steps: Mapping[Span, Done], cores: int) -> float:
    """Return when the last step ends if each begins once its parts are there and cores are free.

    Of those that could begin, the one with the longest way to the root does (list scheduling by
    highest level); segments are all there from the beginning.
    """
    way = {
        span: sum(done.seconds for other, done in steps.items() if _within(span, other))
        for span in steps
    }
    ends: dict[Span, float] = {}
    running: dict[Span, float] = {}
    left, now, free = dict(steps), 0.0, cores
    while left or running:
        for span in sorted(left, key=lambda one: -way[one]):
            if left[span].width <= free and _ready(span, ends):
                free -= left[span].width
                running[span] = now + left.pop(span).seconds
        if not running:
            raise ValueError(f"{sorted(left)} wait for what nobody makes")
        first = min(running, key=lambda one: running[one])
        now = ends[first] = running.pop(first)
        free += steps[first].width
    return now


def _within(span: Span, other: Span) -> bool:
    return other.start <= span.start and span.end <= other.end


def _ready(span: Span, ends: Mapping[Span, float]) -> bool:
    middles = range(span.start + 1, span.end)
    halves = [(Span(span.start, at), Span(at, span.end)) for at in middles]
    return not halves or any(one in ends and other in ends for one, other in halves)


def measured(count: int) -> list[tuple[float, float]]:
    """Return for each pair the farm's seconds by the bound, and by the plain prover's."""
    found = []
    for _ in range(count):
        with own.farm(segment_po2=PO2) as settings:
            host = locate.find(settings)
            with Farm(settings=settings) as farm:
                by_farm(farm, inputs(1, 10))  # children warm, as in a farm that is up
                before = _logs(settings.state)
                took = by_farm(farm, inputs(1, ROUNDS))
            steps = answered(_logs(settings.state)[len(before) :])
        if len(steps) != 2 * SEGMENTS - 1:
            raise SystemExit(f"{len(steps)} steps were done, not {2 * SEGMENTS - 1}: {steps}")
        least, plain = bound(steps, len(pin.cores())), by_plain(host, inputs(1, ROUNDS))
        each = {f"{span.start}-{span.end}": [*done] for span, done in sorted(steps.items())}
        print(json.dumps({"farm_s": took, "bound_s": least, "plain_s": plain} | each), flush=True)
        found.append((took / least, took / plain))
    return found


def _logs(state: Path) -> str:
    return "".join(path.read_text() for path in sorted((state / "logs").glob("risc0-*.log")))


def main() -> int:
    """Measure, print figures beside goals, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1)
    by_bound, by_plain_prover = zip(*measured(parser.parse_args().pairs), strict=True)
    rows = {
        "wall by the list-scheduling bound": (max(by_bound), BOUND),
        "wall by the plain prover": (max(by_plain_prover), PLAIN),
    }
    for name, (ratio, goal) in rows.items():
        print(json.dumps({"ratio": name, "figure": round(ratio, 3), "goal": goal}))
    return int(any(ratio > goal for ratio, goal in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
