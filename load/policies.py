"""Measure whether the adaptive policy keeps up with the best fixed one, whatever the load.

    python load/policies.py [--rounds 9] [--no-farm] [--backend numpy]

Five loads, each a list of calls, are proved in this process by every policy in turn; figures are
CPU seconds of the whole process, medians over the rounds. What took over five times the best in
the first round is not run again. Then, through a farm of its own, the reference's 30 proofs of
fib 100-110 in one call against 30 single calls, each waited for. Goals: adaptive / best fixed
<= 1.03 on every load, one call >= 5.38 x faster. The exit status is 1 when one is missed.
"""

import argparse
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

import numpy as np
import own

from farm import Farm, trace
from farm.columns import Inputs
from farm.policies import NAMES, Policies
from farm.witness import read_inputs

GOAL, FARM_GOAL = 1.03, 5.38
LIMIT = 1 << 20
#: How many times the best a policy may take in the first round and still run in the others.
HOPELESS = 5.0
#: Rounds before the ones that count: what is learned is learned there.
WARM = 6

_fresh = itertools.count(1)


def fib(rounds: list[int]) -> Inputs:
    """Return a batch whose witnesses were not used before."""
    seeds = [next(_fresh) for _ in rounds]
    return read_inputs("fib.v0", rounds, np.array([[seed, 1] for seed in seeds], "<u8"))


def log_uniform(dice: random.Random, least: int, most: int) -> int:
    """Return a number of any order of magnitude alike."""
    return round(least * (most / least) ** dice.random())


def tiny(dice: random.Random) -> Iterator[Inputs]:
    """Yield calls of a few small proofs."""
    for _ in range(300):
        yield fib([dice.randint(1, 20) for _ in range(dice.randint(1, 8))])


def mixed(dice: random.Random) -> Iterator[Inputs]:
    """Yield calls of any size, of proofs of any length, of both programs."""
    for number in range(80):
        count = log_uniform(dice, 1, 3000)
        if number % 4:
            yield fib([log_uniform(dice, 10, 2000) for _ in range(count)])
        else:
            words = [[next(_fresh)] * dice.randint(0, 40) for _ in range(count)]
            yield read_inputs("sha256.v0", None, words)


def large(dice: random.Random) -> Iterator[Inputs]:
    """Yield full batches of the reference's load."""
    for _ in range(4):
        yield fib([20 + at % 50 for at in range(16_384)])


def repeated(dice: random.Random) -> Iterator[Inputs]:
    """Yield batches of which nine in ten proofs were asked for before."""
    known = read_inputs("fib.v0", 400, [[word, 7] for word in range(2000)])
    for _ in range(8):
        old = known.pick(np.array([dice.randrange(2000) for _ in range(3600)]))
        yield Inputs.joined([old, fib([400] * 400)])


def bursty(dice: random.Random) -> Iterator[Inputs]:
    """Yield single proofs, and now and then very many at once."""
    for _ in range(4):
        yield from (fib([dice.randint(50, 150)]) for _ in range(100))
        yield fib([dice.randint(50, 150) for _ in range(6000)])


LOADS: dict[str, Callable[[random.Random], Iterator[Inputs]]] = {
    "tiny": tiny,
    "mixed": mixed,
    "large": large,
    "repeated": repeated,
    "bursty": bursty,
}


def took(prove: Callable[[Inputs], object], calls: list[Inputs]) -> float:
    """Return the CPU seconds of all calls."""
    began = time.process_time()
    for inputs in calls:
        prove(inputs)
    return time.process_time() - began


def measure(name: str, rounds: int) -> dict[str, object]:
    """Return the row of one load."""
    policies, running = Policies(LIMIT), list(NAMES)
    found: dict[str, list[float]] = {policy: [] for policy in NAMES}
    for number in range(WARM + rounds):
        calls = list(LOADS[name](random.Random(number)))
        running.reverse()
        for policy in running:
            found[policy].append(took(policies[policy], calls))
        if number == 0:
            limit = HOPELESS * min(seconds[0] for seconds in found.values())
            running = [one for one in running if found[one][0] <= limit or one == "adaptive"]
    policies.close()
    cost = {policy: median(found[policy][WARM:]) for policy in running}
    best = min((one for one in cost if one != "adaptive"), key=lambda one: cost[one])
    ratio = cost["adaptive"] / cost[best]
    return {
        "load": name,
        "best": best,
        "cpu_ms": {policy: round(1e3 * seconds, 2) for policy, seconds in cost.items()},
        "ratio": round(ratio, 4),
        "goal": GOAL,
        "met": ratio <= GOAL,
    }


def through_a_farm(rounds: int) -> dict[str, object]:
    """Return the row of 30 proofs in one call against 30 calls, by the clock."""
    lengths, one, each = [100 + at % 11 for at in range(30)], [], []
    with own.farm() as settings, Farm(settings=settings) as farm:
        farm.submit_many("fib.v0", lengths).wait()
        for _ in range(rounds):
            began = time.perf_counter()
            farm.submit_many("fib.v0", lengths).wait()
            between = time.perf_counter()
            for length in lengths:
                farm.submit_many("fib.v0", [length]).wait()
            one.append(between - began)
            each.append(time.perf_counter() - between)
    ratio = median(each) / median(one)
    return {
        "load": "30 proofs of fib 100-110 through a farm",
        "one_call_ms": round(1e3 * median(one), 2),
        "single_calls_ms": round(1e3 * median(each), 2),
        "ratio": round(ratio, 2),
        "goal": FARM_GOAL,
        "met": ratio >= FARM_GOAL,
    }


def main() -> int:
    """Measure, print a line a load, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--farm", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--load", action="append", choices=LOADS)
    parser.add_argument("--backend", choices=["kernel", "numpy"])
    asked = parser.parse_args()
    if asked.backend == trace.NUMPY:
        os.environ["FARM_KERNEL"] = trace.NUMPY  # the workers of the farm read it, too
    print(f"proved by {trace.backend()}", flush=True)
    if asked.backend not in (None, trace.backend()):
        return 1
    rows = []
    for name in asked.load or LOADS:
        rows.append(measure(name, asked.rounds))
        print(json.dumps(rows[-1]), flush=True)
    if asked.farm:
        rows.append(through_a_farm(asked.rounds))
        print(json.dumps(rows[-1]), flush=True)
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
