"""Choose how to prove a batch by what batches of its size have cost, and keep measuring.

For each size (rows and work, by powers of two) the CPU seconds of every way are measured; none is
taken as known. The cheapest is used; of those that cost the same, the one that is done first.
Measuring, and trying the others again, takes a small share of what proving costs. Where a lookup
could pay at all, a cache stands before it; farm/worth.py decides on that.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from farm import trace_plain
from farm.columns import U32, Inputs, Outputs
from farm.reuse import Reuse, here
from farm.witness import read_inputs
from farm.worth import EVERY, Use

#: A size: the program, and the bits of rows and of work.
_Key = tuple[str, int, int]
#: Proves a batch.
Prove = Callable[[Inputs], Outputs]
#: Proves a batch with threads, and says what CPU seconds they took.
Threads = Callable[[Inputs], tuple[Outputs, float]]

#: Share of the cost of proofs that measuring it, and trying other ways, may take.
SHARE = 0.002
#: Ways within this factor of the cheapest count as no dearer than it.
TIE = 1.01
#: A way is tried at once if it may cost up to so many times what the best known does; dearer ones
#: wait until their cost is put by.
HOPE = 1.25
#: What trying another way costs at least, as a share.
LEAST = 0.05
#: A batch that takes so many times what it should is followed by another that is measured.
SURPRISE = 1.5
#: First measurements of a way, of which the least counts; after that, how much the latest does.
TRIALS, FRESH = 3, 0.3
#: Most batches between two that are measured.
MOST_LEFT = 10_000
#: The work of batches of up to so many rows is reckoned from the first, of larger ones from four.
FEW = 16
#: A small proof, to see what plain Python takes for a unit of work.
_SMALL = {"fib.v0": (16, [0, 1]), "sha256.v0": (0, [1, 2, 3, 4])}


@dataclass(slots=True)
class _Cost:
    """Seconds of CPU, and by the clock, for each unit of work."""

    cpu: float = float("inf")
    wall: float = float("inf")
    count: int = 0

    def observe(self, cpu: float, wall: float) -> None:
        self.count += 1
        if self.count <= TRIALS:  # the first run of anything is slow
            self.cpu, self.wall = min(self.cpu, cpu), min(self.wall, wall)
            return
        # Twice the usual is bad luck, however much more it was.
        self.cpu += FRESH * (min(cpu, 2 * self.cpu) - self.cpu)
        self.wall += FRESH * (min(wall, 2 * self.wall) - self.wall)


@dataclass(slots=True)
class _Size:
    """What is known of batches of one size, and how to prove the next ones."""

    run: Prove
    #: The way in which the next one that is measured is proved.
    due: str = "batch"
    #: Batches measured, and whether no way was left to be tried when it was last looked at.
    measured: int = 0
    settled: bool = False
    #: Batches to prove so before anything is measured again.
    left: int = 0
    #: Seconds put by for trying other ways.
    purse: float = 0.0
    costs: dict[str, _Cost] = field(default_factory=dict)

    def best(self) -> float:
        """Return the CPU seconds for a unit of work in the cheapest way, 0 if none is known."""
        return min((cost.cpu for cost in self.costs.values()), default=0.0)


class Adaptive:
    """Proves batches in what has shown to be the cheapest way; `parallel` None is for one core.

    A `reuse` without a worth is not used.
    """

    def __init__(
        self, batch: Prove, sequential: Prove, parallel: Threads | None, reuse: Reuse
    ) -> None:
        self.reuse, self._parallel = reuse, parallel
        self._runs: dict[str, Prove] = {"batch": batch, "sequential": sequential}
        if parallel:
            self._runs["parallel"] = lambda inputs: parallel(inputs)[0]
        self._sizes: dict[_Key, _Size] = {}
        self._plain: dict[str, float] = {}
        self._handing: float | None = None
        #: Seconds that measuring one batch takes.
        self._overhead = 1e-5

    def prove(self, inputs: Inputs) -> Outputs:
        """Return the proofs of a batch."""
        rounds = inputs.rounds
        count = len(rounds)
        # Written out: a call more, or a sum, would show in what a tiny batch costs.
        few = 0 < count <= FEW
        work = (rounds.item(0) * count if few else _reckoned(rounds)) + len(inputs.words)
        size = self._sizes.get((inputs.program, count.bit_length(), work.bit_length()))
        if size is not None and size.left > 0:
            size.left -= 1
            return size.run(inputs)
        return self._measured(inputs, size.best() * _units(count, work) if size else 0.0)

    def ways(self) -> dict[_Key, str]:
        """Return the way used for each size: program, and the bits of rows and of work."""
        names = {run: name for name, run in self._runs.items()}
        return {key: names[size.run] for key, size in self._sizes.items()}

    def _measured(self, inputs: Inputs, cost: float) -> Outputs:
        worth, count, use = self.reuse.worth, len(inputs), Use.NONE
        if worth and cost > worth.look(count):
            use = worth.choose(count, cost)
        if use is Use.NONE:
            return self._prove(inputs)
        prove = here(lambda part: self._learnt(part)[0])
        return self.reuse.use(use, inputs, prove, cost).wait()

    def _prove(self, inputs: Inputs) -> Outputs:
        """Prove a batch, learn from it, and say how many may follow before the next is measured."""
        done, size, cost, trial = self._learnt(inputs)
        # So few batches are measured that it does not show in what all of them cost.
        size.left = 0 if trial else min(int(self._overhead / (SHARE * cost)), MOST_LEFT)
        size.purse += SHARE * cost * size.left
        if self.reuse.worth:
            self.reuse.worth.earn(cost * size.left)
        return done

    def _learnt(self, inputs: Inputs) -> tuple[Outputs, _Size, float, bool]:
        """Prove a batch in the way that is due; return what it cost, and if a trial is due next."""
        began = time.thread_time()
        count = len(inputs)
        exact = int(inputs.rounds.sum(dtype=np.int64)) + len(inputs.words)
        # A size is what `prove` takes it for, but what it cost is for the work that it was.
        work = _reckoned(inputs.rounds) + len(inputs.words)
        units, key = _units(count, exact), (inputs.program, count.bit_length(), work.bit_length())
        size = self._sizes.setdefault(key, _Size(self._runs["batch"]))
        way, (cpu, wall) = size.due, (time.thread_time(), time.perf_counter())
        done, others = self._run(way, inputs)
        cpu, wall = time.thread_time() - cpu, time.perf_counter() - wall
        known = size.costs.setdefault(way, _Cost())
        surprise = cpu + others > SURPRISE * known.cpu * units
        known.observe((cpu + others) / units, wall / units)
        size.run = self._runs[_fastest(size)]
        size.purse += SHARE * (cpu + others)
        size.measured += 1
        trial = False
        if not size.settled or size.measured % EVERY == 0:
            size.due, trial = self._next(key, size, units)
            size.settled = not trial
        else:
            size.due = _fastest(size)
        self._overhead += 0.1 * (time.thread_time() - began - cpu - self._overhead)
        return done, size, max(size.best() * units, 1e-7), trial or surprise

    def _run(self, way: str, inputs: Inputs) -> tuple[Outputs, float]:
        if way == "parallel" and self._parallel:
            return self._parallel(inputs)
        return self._runs[way](inputs), 0.0

    def _next(self, key: _Key, size: _Size, units: float) -> tuple[str, bool]:
        """Return the way to prove the next batch of a size that is measured, and if it is new."""
        best, fastest = size.best() * units, _fastest(size)
        ratios = {way: self._ratio(key, size, way, units) for way in self._runs}
        hopeful = [way for way, ratio in ratios.items() if ratio <= HOPE]
        for way in hopeful if len(hopeful) > 1 else ():
            known = size.costs.get(way)
            if known is None or known.count < TRIALS:
                return way, True
        for way, ratio in ratios.items():
            # At least a little: a way that is no dearer is not tried for ever.
            extra = max(ratio - 1, LEAST) * best
            if way != fastest and extra <= size.purse:
                size.purse -= extra
                return way, False
        return fastest, False

    def _ratio(self, key: _Key, size: _Size, way: str, units: float) -> float:
        """Return how dear a way is, as far as is known, as a multiple of the best."""
        known = size.costs.get(way)
        if known and known.count >= TRIALS:
            return known.cpu / size.best()
        program, count, work = key
        near = [(program, count + a, work + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
        sizes = [self._sizes[one] for one in near if one in self._sizes]
        # Its own first runs may have been slow by chance: sizes like it have a say.
        ratios = [one.costs[way].cpu / one.best() for one in sizes if way in one.costs]
        if len(ratios) < TRIALS:
            ratios.append(self._guess(way, program, size.best() * units, units))
        return min(ratios)

    def _guess(self, way: str, program: str, best: float, units: float) -> float:
        """Return the same for a way that was not tried for any such size; `best` in seconds."""
        if way == "sequential":
            if program not in self._plain:
                self._plain[program] = _plain(program)
            return self._plain[program] * units / best
        if self._handing is None and self._parallel:
            self._handing = _handing(self._parallel)
        # Threads that only add to the cost are not worth a try.
        return 1.0 if self._handing is not None and self._handing <= (TIE - 1) * best else math.inf


def _fastest(size: _Size) -> str:
    limit = TIE * size.best()
    ways = {way: cost.wall for way, cost in size.costs.items() if cost.cpu <= limit}
    return min(ways, key=lambda way: ways[way])


def _reckoned(rounds: U32) -> int:
    """Return the rounds of all rows together, about."""
    count = len(rounds)
    if count <= FEW:
        return int(rounds.item(0)) * count if count else 0
    third = count // 3
    four = rounds.item(0) + rounds.item(third) + rounds.item(2 * third) + rounds.item(count - 1)
    return int(four) * count // 4


def _units(count: int, work: int) -> float:
    # A row costs about as much as so many rounds, whichever way; it only evens out sizes.
    return work + 16.0 * count + 1


def _handing(parallel: Threads) -> float:
    """Return the CPU seconds that handing work over to threads takes, without the work."""
    small, took = read_inputs("fib.v0", [1, 1]), []
    for _ in range(TRIALS):
        began = time.thread_time()
        others = parallel(small)[1]
        took.append(time.thread_time() - began + others)
    return min(took)


def _plain(program: str) -> float:
    """Return the CPU seconds that plain Python takes for a unit of work."""
    rounds, witness = _SMALL[program]
    units, took = _units(1, rounds + len(witness)), []
    for _ in range(TRIALS):
        began = time.thread_time()
        trace_plain.prove(program, rounds, witness)
        took.append(time.thread_time() - began)
    return min(took) / units
