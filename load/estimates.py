"""Measure how far the cost model's estimates of trace proofs err, beside the reference's rule.

    python load/estimates.py [--backend kernel] [--backend numpy]

A model observes 200 proofs of mixed sizes, each measured in CPU seconds, and then predicts
fib(100, 300, 500, 1000, 5000); what those take is the median of many, measured among the others.
The same with one in twenty observations spoiled a thousandfold, and on a machine that has become
half as fast since (every measurement doubled). All of it fifteen times, with a new model each
time: the goal is that the median of the trials' median errors is at most 10 %, in each; the exit
status is 1 when one is missed.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator
from statistics import median
from typing import NamedTuple

from farm import trace
from farm.bench_stream import LARGEST, ROUNDS, errors, features, proof, stream
from farm.cost import CostModel
from farm.errors import KernelMissing
from farm.terms import piecewise, trace_name

GOAL = 0.10
OBSERVED, REPEATS = 200, 101
#: A trial takes a fraction of a second, and the machine may be in two moods within it.
TRIALS = 15
PROGRAM = "fib.v0"

#: What becomes of a measurement before it is observed: its number and seconds in, seconds out.
Spoil = Callable[[int, float], float]


def observe(model: CostModel, seen: list[tuple[int, float]], spoil: Spoil) -> None:
    """Let the model observe what was measured, or what has become of it."""
    for number, (rounds, seconds) in enumerate(seen):
        model.observe(features(rounds), spoil(number, seconds))


def poisoned(number: int, seconds: float) -> float:
    """Spoil one in twenty, as often too long as too short."""
    return seconds * (1000.0 if number % 40 else 0.001) if number % 20 == 0 else seconds


def scenarios(
    backend: str, dice: random.Random
) -> Iterator[tuple[str, CostModel, dict[int, float]]]:
    """Yield what happened, the model it has left, and what proofs take by then."""
    name = trace_name(PROGRAM, backend)
    model, spoiled = CostModel(name), CostModel(name)
    first, second = (stream(dice, OBSERVED, REPEATS) for _ in range(2))
    observe(model, first.seen, lambda _, seconds: seconds)
    yield "observed", model, first.truth
    observe(spoiled, first.seen, poisoned)
    yield "poisoned", spoiled, first.truth
    observe(model, second.seen, lambda _, seconds: 2 * seconds)
    yield "drifted", model, {n: 2 * seconds for n, seconds in second.truth.items()}


def rows(backend: str) -> Iterator[dict[str, object]]:
    """Yield a row for each scenario and its goal: medians over the trials."""
    tried: dict[str, list[Trial]] = {}
    for seed in range(TRIALS):
        for scenario, model, truth in scenarios(backend, random.Random(seed)):
            learned = {n: model.predict(features(n)) for n in ROUNDS}
            rule = {n: piecewise(n) for n in ROUNDS}
            off = median(errors(learned, truth))
            found = Trial(truth, learned, off, median(errors(rule, truth)))
            tried.setdefault(scenario, []).append(found)
    for scenario, trials in tried.items():
        error = median(one.error for one in trials)
        yield {
            "backend": backend,
            "scenario": scenario,
            "measured_us": _microseconds([one.truth for one in trials]),
            "predicted_us": _microseconds([one.learned for one in trials]),
            "median_error": round(error, 4),
            "worst_trial": round(max(one.error for one in trials), 4),
            "piecewise_median_error": round(median(one.rule for one in trials), 4),
            "goal": GOAL,
            "met": error <= GOAL,
        }


class Trial(NamedTuple):
    """What proofs took and were predicted to take, and the median errors of model and rule."""

    truth: dict[int, float]
    learned: dict[int, float]
    error: float
    rule: float


def _microseconds(found: list[dict[int, float]]) -> dict[str, float]:
    return {f"fib({n})": round(median(one[n] for one in found) * 1e6, 2) for n in ROUNDS}


def present(wanted: list[str]) -> Iterator[str]:
    """Yield the backends to measure, each chosen for this process while it is at work."""
    for backend in wanted:
        try:
            chosen = trace.choose(trace.NUMPY if backend == trace.NUMPY else "")
        except KernelMissing as error:
            print(error)
            continue
        if chosen != backend:
            print(f"no {backend} here: left out")
            continue
        yield backend


def main() -> int:
    """Measure, print a row for each scenario, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backend", action="append", choices=["kernel", "numpy"])
    asked = parser.parse_args()
    met = []
    for backend in present(asked.backend or ["kernel", "numpy"]):
        for _ in range(REPEATS):  # nothing is loaded or allocated for the first time later
            proof(LARGEST)
        for row in rows(backend):
            print(json.dumps(row), flush=True)
            met.append(bool(row["met"]))
    return 0 if met and all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
