"""Measure what the cache of trace proofs costs where it is of no use, and gains where it is.

    python load/cache.py [--rounds 41]

Batches of a worker's size are proved with and without the cache in turn, in CPU seconds of the
process, summed over the rounds; the cache decides for itself, by a cost model that has observed
this machine. Goals: with no hits <= 1.02 of the cost without a cache, for short and long proofs
and both programs; at 90 % hits >= 4.08 x as fast, where a proof costs 20 lookups. The exit status
is 1 when one is missed.
"""

import argparse
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np

from farm import trace
from farm.cache import TraceCache
from farm.columns import Inputs, Outputs
from farm.cost import CostModel
from farm.parcels import ROWS
from farm.reuse import Reuse
from farm.rows import states
from farm.terms import Features, trace_name
from farm.witness import read_inputs
from farm.worth import Worth

NO_HITS, HITS, DEAR = 1.02, 4.08, 20
LIMIT = 1 << 20
#: Rounds before those that count: enough for a cache to be found worth it.
WARM = 10
#: Batches that a cost model observes.
OBSERVED = 20

_fresh = itertools.count(1)

Make = Callable[[int], Inputs]


def fib(rounds: int) -> Make:
    """Return what makes batches of so many proofs, none asked for before."""

    def make(count: int) -> Inputs:
        rows = np.arange(count, dtype="<u8") + np.uint64(next(_fresh) << 32)
        return read_inputs("fib.v0", [rounds] * count, np.stack([rows, rows + 1], axis=1))

    return make


def messages(words: int) -> Make:
    """Return what makes batches of messages of so many words, none asked for before."""

    def make(count: int) -> Inputs:
        rows = np.arange(count, dtype="<u8") + np.uint64(next(_fresh) << 32)
        return read_inputs("sha256.v0", None, np.tile(rows[:, None], words))

    return make


def cpu(work: Callable[[Inputs], object], inputs: Inputs) -> float:
    """Return the CPU seconds that `work` takes."""
    began = time.process_time()
    work(inputs)
    return time.process_time() - began


def prove(inputs: Inputs) -> Outputs:
    """Prove a batch without any cache."""
    return trace.prove(inputs, LIMIT)


def learned(make: Make) -> CostModel:
    """Return a cost model that has observed such batches."""
    sizes = itertools.cycle([ROWS, 100, 1000])
    model = CostModel(trace_name(make(1).program, trace.backend()))
    for inputs in (make(next(sizes)) for _ in range(OBSERVED)):
        model.observe(Features(rows=len(inputs), steps=states(inputs)), cpu(prove, inputs))
    return model


def cached(make: Make) -> Reuse:
    """Return a cache that decides for itself."""
    model = learned(make)
    return Reuse(
        TraceCache(LIMIT),
        Worth.of_memory(),
        lambda _, rows, steps: model.predict(Features(rows=rows, steps=steps)),
    )


def batches(make: Make, hits: float) -> Iterator[Inputs]:
    """Yield batches of which that share of the rows was asked for before, mixed with the others."""
    count = round(ROWS * hits)
    held, order = make(count), np.random.default_rng(1).permutation(ROWS)
    while True:
        yield Inputs.joined([held, make(ROWS - count)]).pick(order)


def measure(name: str, make: Make, hits: float, rounds: int) -> dict[str, object]:
    """Return the row of one load."""
    reuse, found = cached(make), batches(make, hits)
    took: dict[str, list[float]] = {"without": [], "with": []}
    ways = {"without": prove, "with": lambda inputs: reuse.prove(inputs, prove)}
    for number in range(WARM + rounds):
        for way in sorted(ways, reverse=number % 2 == 0):
            took[way].append(cpu(ways[way], next(found)))
    # Sums, not medians: what it costs to see whether the cache would pay falls on few batches.
    without, using = (sum(took[way][WARM:]) / rounds for way in ("without", "with"))
    ratio, stats = using / without, reuse.stats()
    met = ratio <= NO_HITS if not hits else 1 / ratio >= HITS
    return {
        "load": name,
        "without_us": round(1e6 * without / ROWS, 4),
        "with_us": round(1e6 * using / ROWS, 4),
        "hit_rate": round(stats.rate, 3),
        "bytes": stats.bytes,
        "ratio": round(ratio if not hits else 1 / ratio, 4),
        "goal": NO_HITS if not hits else HITS,
        "met": met,
    }


def lookup() -> float:
    """Return the CPU seconds of a row that is held, from the call to the proof in its place."""
    reuse, inputs = Reuse(TraceCache(LIMIT)), fib(20)(ROWS)
    took = [cpu(lambda batch: reuse.prove(batch, prove), inputs) for _ in range(31)]
    return median(took[1:]) / ROWS


def main() -> int:
    """Measure, print a line a load, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41)
    asked = parser.parse_args()
    look, each = lookup(), median(cpu(prove, fib(100)(ROWS)) for _ in range(31)) / ROWS / 100
    dear = round(DEAR * look / each)
    print(f"proved by {trace.backend()}; a lookup takes {1e9 * look:.0f} ns", flush=True)
    loads: dict[str, tuple[Make, float]] = {
        "no hits, fib(20)": (fib(20), 0.0),
        "no hits, fib(200)": (fib(200), 0.0),
        "no hits, messages of 8 words": (messages(8), 0.0),
        f"90 % hits, fib({dear}): {DEAR} lookups": (fib(dear), 0.9),
    }
    rows = []
    for name, (make, hits) in loads.items():
        rows.append(measure(name, make, hits, asked.rounds))
        print(json.dumps(rows[-1]), flush=True)
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
