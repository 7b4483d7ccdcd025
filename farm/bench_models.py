"""The reference's rows on estimates, and on which way is chosen from which size on."""

import random
import time
from statistics import median

from farm import trace
from farm.adaptive import Adaptive
from farm.bench_row import LIMIT, Case, Curve, Found, Row, compared, fib, us
from farm.bench_stream import ROUNDS, errors, features, stream
from farm.cost import CostModel
from farm.policies import Policies
from farm.terms import piecewise, trace_name

#: What the reference measured, and by how much its own estimate was off.
REFERENCE = {300: "53 v 27 us, 96 %", 500: "83 v 40 us, 108 %", 1000: "143 v 102 us, 40 %"}
#: Proofs observed, how often each size is measured among them, and the error that is allowed.
OBSERVED, REPEATS, ERROR = 200, 41, 0.10
#: Sizes of batches that are tried, and of how many rounds; how often each.
SIZES, LENGTH, TURNS = [1 << bits for bits in range(15)], 100, 20


def estimates(seconds: float) -> Found:
    """Measure how far a cost model is off after 200 proofs, beside the reference's rule."""
    model = CostModel(trace_name("fib.v0", trace.backend()))
    seen, measured = stream(random.Random(1), OBSERVED, REPEATS)
    for rounds, took in seen:
        model.observe(features(rounds), took)
    guessed = {n: model.predict(features(n)) for n in ROUNDS}
    off = errors(guessed, measured)
    rows = []
    for n, error in zip(ROUNDS, off, strict=True):
        ours = f"{us(guessed[n])} v {us(measured[n])}, {error:.0%}"
        rows.append(Row("estimates", f"fib({n}), estimate v measured", REFERENCE.get(n, ""), ours))
    error, text = median(off), f"<= {ERROR:.0%}"
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


def _curve(lines: dict[str, list[float]]) -> Curve:
    places = [str(rounds) for rounds in ROUNDS]
    return Curve(
        title="what one proof costs",
        across="rounds of fib",
        up="us of CPU",
        places=places,
        lines=lines,
    )
