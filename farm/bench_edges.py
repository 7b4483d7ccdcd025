"""The reference's row on edge cases: it says "all pass"; here is each."""

from collections.abc import Callable, Iterator

import numpy as np

from farm import trace_plain
from farm.bench_row import Found, Row, fib
from farm.cache import TraceCache
from farm.columns import Code, Inputs, Outputs
from farm.policies import NAMES, Policies
from farm.reuse import Reuse
from farm.witness import read_inputs

#: Most rounds that the huge proof is over.
LIMIT = 1 << 16


def edges(seconds: float) -> Found:
    """Return a row for each edge case, by every policy where it is about policies."""
    policies = Policies(LIMIT)
    rows = [
        Row("edge cases", name, "passes", "passes" if ok else "FAILS", "passes", ok)
        for name, ok in _cases(policies)
    ]
    policies.close()
    return Found(rows)


def _cases(policies: Policies) -> Iterator[tuple[str, bool]]:
    def all_say(inputs: Inputs, says: Callable[[Outputs], bool]) -> bool:
        return all(says(policies[name](inputs)) for name in NAMES)

    one = trace_plain.prove("fib.v0", 1, [0, 1])
    alone = read_inputs("fib.v0", [1])
    huge = read_inputs("fib.v0", [LIMIT, LIMIT + 1, 1 << 40])
    same = read_inputs("fib.v0", [30] * 50)
    over = [Code.OK, Code.OVER_LIMIT, Code.OVER_LIMIT]
    empty = read_inputs("sha256.v0", None, [[]])
    yield "zero steps", all_say(read_inputs("fib.v0", [0]), lambda d: d.codes[0] == Code.NO_ROUNDS)
    yield "one step", all_say(alone, lambda done: done.row("fib.v0", 0) == one)
    yield "huge n", all_say(huge, lambda done: done.codes.tolist() == over)
    yield "empty message", all_say(empty, lambda done: int(done.steps[0]) == 2)
    yield "empty batch", all_say(read_inputs("fib.v0", []), lambda done: len(done) == 0)
    yield "duplicates", all_say(same, lambda done: len(np.unique(done.commitments, axis=0)) == 1)
    yield "duplicates are proved once", _proved_once(policies, same)
    for room in (0, 1):
        yield f"capacity {room}", _held(policies, room) <= room


def _proved_once(policies: Policies, same: Inputs) -> bool:
    asked: list[int] = []

    def prove(inputs: Inputs) -> Outputs:
        asked.append(len(inputs))
        return policies["batch"](inputs)

    Reuse(TraceCache(LIMIT)).prove(same, prove)
    return asked == [1]


def _held(policies: Policies, room: int) -> int:
    reuse = Reuse(TraceCache(LIMIT, room))
    for _ in range(3):
        batch = fib([20, 21, 20])
        if reuse.prove(batch, policies["batch"]).pack("") != policies["batch"](batch).pack(""):
            return room + 1  # wrong counts as too many
    return reuse.stats().held
