"""What the reference benchmark is made of: rows of its table, and how a figure is measured."""

import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

import msgspec
import numpy as np

from farm.columns import Inputs
from farm.witness import read_inputs

#: Fewest rounds of a comparison, however little time it gets.
ROUNDS = 5
#: Most rounds of one trace proof here: the default of the setting.
LIMIT = 1 << 20

_fresh = itertools.count(1)


class Row(msgspec.Struct, frozen=True):
    """One line: what the reference has, and what this farm has on this machine."""

    part: str
    what: str
    reference: str
    ours: str
    #: What the figure has to reach; empty where it is only shown.
    goal: str = ""
    met: bool | None = None


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """Figures to be drawn: one line a name, all over the same places."""

    title: str
    across: str
    up: str
    places: list[str]
    #: None where there is no figure.
    lines: Mapping[str, Sequence[float | None]]


class Found(NamedTuple):
    """The rows of one part of the table, and what of it can be drawn."""

    rows: list[Row]
    curves: Sequence[Curve] = ()


class Case(NamedTuple):
    """Something to be measured: what makes its inputs, untimed, and what is timed."""

    prepare: Callable[[], Inputs]
    run: Callable[[Inputs], object]


def fib(rounds: Sequence[int]) -> Inputs:
    """Return a batch of fib.v0 that was not asked for before, with so many rounds a row."""
    seeds = np.full(len(rounds), next(_fresh), "<u8") << np.uint64(32)
    seeds += np.arange(len(rounds), dtype="<u8")
    return read_inputs("fib.v0", rounds, np.stack([seeds, np.ones_like(seeds)], axis=1))


def compared(
    cases: Mapping[str, Case], seconds: float, clock: Callable[[], float] = time.perf_counter
) -> dict[str, float]:
    """Return the median seconds of each case, measured in turn for so many seconds altogether."""
    took: dict[str, list[float]] = {name: [] for name in cases}
    order, end = list(cases), time.monotonic() + seconds
    while time.monotonic() < end or len(took[order[0]]) < ROUNDS:
        order.reverse()  # who comes after whom must not matter
        for name in order:
            inputs = cases[name].prepare()
            began = clock()
            cases[name].run(inputs)
            took[name].append(clock() - began)
    return {name: median(found) for name, found in took.items()}


def us(seconds: float) -> str:
    """Return a time in microseconds, as the reference writes them."""
    return f"{seconds * 1e6:,.3g} us" if seconds < 1e-3 else f"{seconds * 1e6:,.0f} us"
