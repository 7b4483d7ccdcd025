"""The reference's rows on single proofs, and on 30 of them by policy."""

import subprocess
import sys

import numpy as np

from farm import trace
from farm.bench_row import LIMIT, Case, Curve, Found, Row, compared, fib, us
from farm.columns import Inputs
from farm.policies import NAMES, Policies

#: What the reference took for its 30 proofs, in us.
THIRTY = {"sequential": 832, "batch": 550, "parallel": 341, "cache": 378, "adaptive": 154}
#: Of 30 proofs at 90 % hits, those that are not held.
FRESH = 3
#: Batches that the adaptive policy has learned from before it is measured.
LEARNT = 50
#: Proofs of a batch that is large enough.
MANY = 4096
#: Bytes of a proof in the columns of a batch: output, steps, commitment, code.
PROOF_BYTES = 8 + 4 + 32 + 1
#: What the reference's adaptive policy gains, and what it says a proof takes.
ADAPTIVE, STEPS = 5.38, 502_000

_COLD = """
import time
from farm import trace_plain
began = time.perf_counter()
trace_plain.prove("fib.v0", 10, [0, 1])
print(time.perf_counter() - began)
"""


def single(seconds: float) -> Found:
    """Measure one proof: made alone, as one of many, cold."""
    policies, part = Policies(LIMIT), "one proof"
    cases = {
        "short": Case(lambda: fib([10]), policies["sequential"]),
        "long": Case(lambda: fib([200]), policies["sequential"]),
        "many": Case(lambda: fib([100] * MANY), policies["batch"]),
    }
    took = compared(cases, seconds)
    alone, each = f"{us(took['short'])} to {us(took['long'])}", took["many"] / MANY
    cold, steps = float(subprocess.check_output([sys.executable, "-c", _COLD])), 102 / each
    rate = f"{steps:,.0f} by {trace.backend()}"
    rows = [
        Row(part, "made alone, fib(10) to fib(200)", "5 to 50 us", alone),
        Row(part, "fib(100), one of a batch", "", us(each)),
        Row(part, "fib(10), cold", "24 us", us(cold)),
        Row(part, "steps a second", f"{STEPS:,}", rate, f">= {STEPS:,}", steps >= STEPS),
        Row(part, "verify: make it again", "2 us", us(each)),
        Row(part, "bytes", "100", str(PROOF_BYTES)),
    ]
    return Found(rows)


def thirty(seconds: float) -> Found:
    """Measure 30 proofs of fib 100 to 110 by every policy."""
    policies, rounds = Policies(LIMIT), [100 + at % 11 for at in range(30)]
    known = fib(rounds)
    policies["cache"](known)
    held = known.pick(np.arange(len(rounds) - FRESH))
    cases = {name: Case(lambda: fib(rounds), policies[name]) for name in NAMES}
    cases["cache"] = Case(lambda: Inputs.joined([held, fib(rounds[-FRESH:])]), policies["cache"])
    for _ in range(LEARNT):
        policies["adaptive"](fib(rounds))
    took = compared(cases, seconds)
    policies.close()
    speed = {name: took["sequential"] / one for name, one in took.items()}
    before = [THIRTY["sequential"] / THIRTY[name] if name in THIRTY else None for name in NAMES]
    curve = Curve(
        title="30 proofs of fib 100-110, against one after another",
        across="policy",
        up="times as fast",
        places=list(NAMES),
        lines={"reference": before, "here": [speed[name] for name in NAMES]},
    )
    return Found([_policy(name, took[name], speed[name]) for name in NAMES], [curve])


def _policy(name: str, took: float, speed: float) -> Row:
    before, what = THIRTY.get(name), f"30 proofs of fib 100-110: {name}"
    what += ", 90 % hits" if name == "cache" else ""
    reference = f"{before} us, {THIRTY['sequential'] / before:.2f} x" if before else ""
    ours = f"{us(took)}, {speed:.2f} x"
    if name != "adaptive":
        return Row("policies", what, reference, ours)
    return Row("policies", what, reference, ours, f">= {ADAPTIVE} x", speed >= ADAPTIVE)
