"""The reference's rows on the cache: what it gains by hit rate, when it pays, how large it is."""

import time
from collections.abc import Iterator

import numpy as np

from farm import trace, worth
from farm.bench_row import LIMIT, Case, Curve, Found, Row, compared, fib, us
from farm.cache import TraceCache
from farm.columns import Inputs
from farm.policies import Policies
from farm.reuse import Reuse

#: Hit rates of the reference's table in percent, what it measured, and what its model says there:
#: 1 / (h * 0.05 + (1 - h) * 1.2), which would be 6.06 and not 4.17 at 90.
REFERENCE = {0: (0.0, 0.83), 10: (0.90, 0.92), 50: (1.57, 1.60), 90: (4.08, 4.17)}
#: Proofs in a batch, and how many times a lookup one of them has to cost for a fair table.
TOGETHER, DEAR = 4096, 20
#: Batches before anything is measured.
LEARNT = 30
#: CPU of a cache in which nothing worth having is found, against none.
NO_HITS = 1.02
#: Programs that are asked for again and again, how often, and the room there is for them.
PROGRAMS, AGAIN = 100, 50
CAPACITIES = (0, 1, 50, 100, 150, 500, None)
#: Up to so many there is room for just as many, beyond for up to twice as many: farm/table.py.
EXACT = 8


def model(hits: float, look: float, keep: float) -> float:
    """Return what a cache gains at a hit rate of 0 to 1, its costs being shares of a proof's."""
    return 1 / (1 - hits + look + (1 - hits) * keep)


def table(seconds: float) -> Found:
    """Measure the gain at each hit rate, in CPU time, where a proof costs 20 lookups."""
    costs = _costs()
    rounds = max(20, round(100 * DEAR * costs["look"] / costs["prove"]))
    proof, share = costs["prove"] * rounds / 100, seconds / len(REFERENCE)
    gains = {percent: _measured(percent, rounds, share) for percent in REFERENCE}
    models = {
        percent: model(percent / 100, costs["look"] / proof, costs["keep"] / proof)
        for percent in REFERENCE
    }
    curve = Curve(
        title=f"gain of the cache, proofs of fib({rounds})",
        across="hit rate, %",
        up="times as fast",
        places=[str(percent) for percent in REFERENCE],
        lines={
            "reference": [measured or None for measured, _ in REFERENCE.values()],
            "here": list(gains.values()),
            "here, by model": list(models.values()),
        },
    )
    rows = [_gain(percent, gains[percent], models[percent], rounds) for percent in REFERENCE]
    return Found([*rows, _pays(costs)], [curve])


def capacity(seconds: float) -> Found:
    """Measure the hit rate by capacity: all programs again and again, in any order."""
    known, dice = fib([20] * PROGRAMS), np.random.default_rng(1)
    rows = []
    for room in CAPACITIES:
        reuse = Reuse(TraceCache(LIMIT, room))
        for _ in range(AGAIN):
            asked = known.pick(dice.permutation(PROGRAMS))
            reuse.prove(asked, lambda inputs: trace.prove(inputs, LIMIT))
        stats, name = reuse.stats(), "what was seen" if room is None else str(room)
        name = f"at least {room}" if room and room > EXACT else name
        ours = f"{stats.rate:.0%} hits, {stats.held} held"
        rows.append(Row("cache", f"{PROGRAMS} programs, room for {name}", "", ours))
    rule = ", ".join(f"{kind} {worth.capacity(PROGRAMS, kind):,}" for kind in worth.ROOM)
    reference = "unique x 1.5 (best 500), RISC0 x 100"
    rows.append(Row("cache", f"room made for {PROGRAMS} programs", reference, rule))
    return Found(rows)


def _costs() -> dict[str, float]:
    """Return the CPU seconds of a row that is held, of keeping one, and of proving fib(100)."""
    batch, policies = fib([100] * TOGETHER), Policies(LIMIT)
    proofs, cache = policies["batch"](batch), TraceCache(LIMIT, 4 * TOGETHER)
    held = Reuse(cache)

    def keep(inputs: Inputs) -> Inputs:
        cache.keep(cache.keyer.keys(inputs), proofs)
        return inputs

    cases = {
        "look": Case(lambda: batch, lambda inputs: held.prove(inputs, policies["batch"])),
        "keep": Case(lambda: fib([100] * TOGETHER), keep),
        "prove": Case(lambda: batch, policies["batch"]),
    }
    took = compared(cases, 0.2, time.process_time)
    return {name: one / TOGETHER for name, one in took.items()}


def _measured(percent: int, rounds: int, seconds: float) -> float:
    policies = Policies(LIMIT)
    batches = _batches(rounds, percent / 100)
    cases = {
        "none": Case(lambda: next(batches), policies["batch"]),
        "auto": Case(lambda: next(batches), policies["adaptive"]),
    }
    for _ in range(LEARNT):  # what a cache holds it has been shown before
        policies["adaptive"](next(batches))
    took = compared(cases, seconds, time.process_time)
    policies.close()
    return took["none"] / took["auto"]


def _batches(rounds: int, hits: float) -> Iterator[Inputs]:
    """Yield batches of which that share was asked for before, and the rest never."""
    count = round(TOGETHER * hits)
    held, order = fib([rounds] * count), np.random.default_rng(1).permutation(TOGETHER)
    while True:
        yield Inputs.joined([held, fib([rounds] * (TOGETHER - count))]).pick(order)


def _gain(percent: int, gain: float, says: float, rounds: int) -> Row:
    before, model_then = REFERENCE[percent]
    goal = max(before, 1 / NO_HITS)
    reference = (f"{before:.2f} x, " if before else "") + f"model {model_then:.2f}"
    what = f"{percent} % hits, fib({rounds}), CPU"
    ours = f"{gain:.2f} x, model {says:.2f}"
    return Row("cache", what, reference, ours, f">= {goal:.2f} x", gain >= goal)


def _pays(costs: dict[str, float]) -> Row:
    # Half of the proofs saved against a lookup of all and keeping the other half.
    least = 2 * costs["look"] + costs["keep"]
    ours = f"at 50 % hits >= {us(least)}; a lookup takes {us(costs['look'])}"
    return Row("cache", "worth it if a proof costs", ">= 5 us predicted", ours)
