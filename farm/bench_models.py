"""The reference's rows on estimates, and on which way is chosen from which size on."""

import random
import time
from statistics import median

from farm import trace
from farm.adaptive import Adaptive
from farm.bench_row import LIMIT, Case, Curve, Found, Row, compared, fib, us
from farm.cost import CostModel
from farm.policies import Policies
from farm.terms import Features, piecewise, trace_name

#: What the reference measured, and by how much its own estimate was off.
REFERENCE = {300: "53 v 27 us, 96 %", 500: "83 v 40 us, 108 %", 1000: "143 v 102 us, 40 %"}
ROUNDS = (100, 300, 500, 1000, 5000)
#: Proofs observed, how often each size is measured then, and the error that is allowed.
OBSERVED, REPEATS, ERROR = 200, 41, 0.10
#: Sizes of batches that are tried, and of how many rounds; how often each.
SIZES, LENGTH, TURNS = [1 << bits for bits in range(15)], 100, 20


def estimates(seconds: float) -> Found:
    """Measure how far a cost model is off after 200 proofs, beside the reference's rule."""
    name, dice = trace_name("fib.v0", trace.backend()), random.Random(1)
    model, other = CostModel(name), CostModel(name)
    for _ in range(OBSERVED):
        rounds = round(10 * 1000 ** dice.random())
        model.observe(Features(rows=1, steps=rounds + 2), _cost(rounds))
    took: dict[int, list[float]] = {rounds: [] for rounds in ROUNDS}
    for _ in range(REPEATS):
        for rounds, found in took.items():
            found.append(_cost(rounds))
            # As between the proofs observed: what else runs has its share of the core's caches.
            other.observe(Features(rows=1, steps=rounds + 2), found[-1])
    measured = {rounds: median(found) for rounds, found in took.items()}
    guessed = {n: model.predict(Features(rows=1, steps=n + 2)) for n in ROUNDS}
    rows, errors = [], []
    for n in ROUNDS:
        errors.append(abs(guessed[n] / measured[n] - 1))
        ours = f"{us(guessed[n])} v {us(measured[n])}, {errors[-1]:.0%}"
        rows.append(Row("estimates", f"fib({n}), estimate v measured", REFERENCE.get(n, ""), ours))
    error, text = median(errors), f"<= {ERROR:.0%}"
    what = f"median error after {OBSERVED} proofs"
    rows.append(Row("estimates", what, "96 %", f"{error:.1%}", text, error <= ERROR))
    rows += [
        Row("estimates", f"the reference's own rule, fib({n})", "", us(piecewise(n + 2)))
        for n in ROUNDS
    ]
    lines = {"estimate": list(guessed.values()), "measured": list(measured.values())}
    return Found(rows, [_curve({name: [1e6 * one for one in v] for name, v in lines.items()})])


def thresholds(seconds: float) -> Found:
    """Say from which size on the adaptive policy takes which way; it finds that by measuring."""
    policies = Policies(LIMIT)
    for size in SIZES:
        for _ in range(TURNS):
            policies.adaptive.prove(fib([LENGTH] * size))
    ways = [_way(policies.adaptive, size) for size in SIZES]
    largest = fib([LENGTH] * SIZES[-1])
    cases = {name: Case(lambda: largest, policies[name]) for name in ("batch", "parallel")}
    cpu = compared(cases, seconds / 2, time.process_time)
    clock = compared(cases, seconds / 2)
    policies.close()
    changes = [
        f"{way} from {size:,}"
        for before, way, size in zip(["", *ways], ways, SIZES, strict=False)
        if way != before
    ]
    reference = "parallel: < 30 us never, < 60 us from 20, else from 10"
    what = f"ways for proofs of fib({LENGTH})"
    shares = [took["parallel"] / took["batch"] for took in (cpu, clock)]
    ours = f"{shares[0]:.2f} x the CPU, {shares[1]:.2f} x the time of a batch"
    return Found(
        [
            Row("thresholds", what, reference, "; ".join(changes)),
            Row("thresholds", f"{SIZES[-1]:,} of them in parallel", "", ours),
        ]
    )


def _way(adaptive: Adaptive, size: int) -> str:
    work = size * (LENGTH + 2)
    return adaptive.ways().get(("fib.v0", size.bit_length(), work.bit_length()), "unknown")


def _cost(rounds: int) -> float:
    inputs = fib([rounds])
    began = time.thread_time()
    trace.prove(inputs, LIMIT)
    return time.thread_time() - began


def _curve(lines: dict[str, list[float]]) -> Curve:
    places = [str(rounds) for rounds in ROUNDS]
    return Curve(title="one proof", across="rounds", up="us", places=places, lines=lines)
