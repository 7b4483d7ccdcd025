"""Say what the cost of a step is made up of, and what each part weighs before any was measured.

Pure. A cost is a sum of terms: each is a rough guess in seconds, made from what is known of the
step beforehand, times a weight. farm/cost.py learns the weights. The names of all kinds of steps
are known here, so that nobody can make the farm learn endless others.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, NamedTuple

import msgspec

from farm.trace_plain import PROGRAMS
from farm.width import SERIAL

#: Where traces are proved: the answers of `farm.trace.backend`.
BACKENDS = ("kernel", "numpy")
#: What a host child proves with.
DEVICES = ("cpu", "cuda", "replay")
#: How farm/trace_numpy.py cuts a batch: the bytes of a block, and what it calls a narrow one.
BLOCK, NARROW = 1 << 20, 32

#: What a measurement can be, in seconds.
SHORTEST, LONGEST = 1e-9, 1e7

_Count = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class Features(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a step beforehand; nought for what it does not have."""

    #: Of a trace chunk: its rows, and their states together.
    rows: _Count = 0
    steps: _Count = 0
    #: Of a RISC0 step: the size of its segment, its cores, the cycles of an execution.
    po2: Annotated[int, msgspec.Meta(ge=0, le=32)] = 0
    width: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 1
    cycles: _Count = 0


class Observation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one step of the kind `name` took, measured."""

    name: Annotated[str, msgspec.Meta(max_length=64)]
    seconds: Annotated[float, msgspec.Meta(ge=SHORTEST, le=LONGEST)]
    features: Features


class Rule(NamedTuple):
    """How one kind of step is reckoned: its terms in seconds, and their weights to begin with."""

    terms: Callable[[Features], tuple[float, ...]]
    start: tuple[float, ...]


def trace_name(program: str, backend: str) -> str:
    """Return the kind of a trace chunk, whose cost is CPU seconds."""
    return f"trace/{program}/{backend}"


def risc0_name(verb: str, device: str, *, wall: bool = False) -> str:
    """Return the kind of a host's answer: its cost is CPU seconds, or what a clock shows."""
    return f"risc0/{verb}/{device}" + ("/wall" if wall else "")


def piecewise(steps: float) -> float:
    """Return the seconds of one trace proof as the reference estimates it.

    0.23 us a step below 100 steps, then 0.15 us, and beyond 500 steps 0.12 us: reference.md.
    """
    return sum(_by_length(1, steps))


def _by_length(rows: float, steps: float) -> tuple[float, float, float]:
    length = steps / max(rows, 1)
    return 0.12e-6 * steps, 0.03e-6 * rows * min(length, 500), 0.08e-6 * rows * min(length, 100)


def _kernel(f: Features) -> tuple[float, ...]:
    return 1e-5, 1e-6 * f.rows, *_by_length(f.rows, f.steps)


def _numpy(f: Features) -> tuple[float, ...]:
    # Narrow blocks cost by the step. Of wide ones each step is a loop of its own, all rows at once.
    length = f.steps / max(f.rows, 1)
    if f.rows < NARROW or length * 16 * NARROW > BLOCK:
        narrow, loops = f.steps, 0.0
    else:
        narrow, loops = 0.0, length * max(1.0, f.steps * 16 / BLOCK)
    return *_kernel(f), 1e-7 * narrow, 1e-6 * loops


_TRACE = {"kernel": Rule(_kernel, (0, 0, 1, 1, 1)), "numpy": Rule(_numpy, (0, 0, 1, 1, 1, 0, 0))}

#: CPU seconds of a host's verb: fixed, and a cycle (of a segment: 2^po2 of them). From RISC Zero
#: 3.0.6 on cores without its native build: twice the seconds that two threads took.
_VERBS = {
    "execute": (0.01, 1.5e-8),
    "prove": (0.5, 1.05e-3),
    "lift": (96.0, 0.0),
    "join": (104.0, 0.0),
    "resolve": (104.0, 0.0),
    "union": (104.0, 0.0),
    # Not measured there: the lift that it ends with, and a guess of the rows.
    "prove-keccak": (96.0, 4e-3),
}
#: Verbs whose cost depends on the size of what they work on.
SIZED = frozenset(verb for verb, (_, cycle) in _VERBS.items() if cycle)


def _risc0(fixed: float, cycle: float, f: Features) -> tuple[float, ...]:
    work = cycle * (f.cycles or 2.0**f.po2)
    return fixed, fixed / f.width, work, work / f.width


def _rules() -> Iterator[tuple[str, Rule]]:
    for program in PROGRAMS:
        for backend in BACKENDS:
            yield trace_name(program, backend), _TRACE[backend]
    for verb, (fixed, cycle) in _VERBS.items():
        for device in DEVICES:
            terms = partial(_risc0, fixed, cycle)
            yield risc0_name(verb, device), Rule(terms, (1, 0, 1, 0))
            spread = (SERIAL, 1 - SERIAL, SERIAL, 1 - SERIAL)
            yield risc0_name(verb, device, wall=True), Rule(terms, spread)


#: Every kind of step whose cost can be learned.
RULES = dict(_rules())
