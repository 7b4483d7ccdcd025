"""Measure the proofs that a cost model observes among those that it predicts, in one run."""

import random
import time
from collections.abc import Mapping
from statistics import median
from typing import NamedTuple

from farm import trace
from farm.bench_row import LIMIT, fib
from farm.terms import Features

#: Rounds that are predicted: the three of the reference, one below, one above.
ROUNDS = (100, 300, 500, 1000, 5000)
#: Mixed sizes: any order of magnitude from the reference's smallest to its largest, alike.
SMALLEST, LARGEST = 10, 10_000


class Stream(NamedTuple):
    """CPU seconds: of each proof to observe, beside its rounds, and medians of those to predict."""

    seen: list[tuple[int, float]]
    truth: dict[int, float]


def stream(dice: random.Random, observed: int, repeats: int) -> Stream:
    """Measure in one shuffled row, so that both sorts meet the machine in the same mood."""
    sizes = [round(SMALLEST * (LARGEST / SMALLEST) ** dice.random()) for _ in range(observed)]
    order = [(True, rounds) for rounds in sizes]
    order += [(False, rounds) for rounds in ROUNDS for _ in range(repeats)]
    dice.shuffle(order)
    took = [(seen, rounds, proof(rounds)) for seen, rounds in order]
    truth = {n: median(s for seen, r, s in took if r == n and not seen) for n in ROUNDS}
    return Stream([(rounds, seconds) for seen, rounds, seconds in took if seen], truth)


def proof(rounds: int) -> float:
    """Return the CPU seconds of one proof of a witness of its own."""
    inputs = fib([rounds])
    began = time.thread_time()
    trace.prove(inputs, LIMIT)
    return time.thread_time() - began


def features(rounds: int) -> Features:
    """Return what a cost model is told of one such proof."""
    return Features(rows=1, steps=rounds + 2)


def errors(found: Mapping[int, float], truth: Mapping[int, float]) -> list[float]:
    """Return for each number of rounds how far an estimate is off, as a share of the truth."""
    return [abs(found[n] / truth[n] - 1) for n in truth]
