"""Work out from cost models from where on something pays: a cache, more cores a step, a batch.

Pure. Each threshold says whether it was learned, or is a guess: what the models began with.
"""

from collections.abc import Iterator, Mapping

import msgspec

from farm.cost import CostModel
from farm.settings import PO2
from farm.terms import DEVICES, RULES, Features, risc0_name
from farm.width import duration

#: Observations from which a model is believed.
ENOUGH = 20
#: Seconds that a kept answer costs: program, input and receipt hashed, stored and read again took
#: 2.4 ms on a local disk, measured; two calls of the ledger come on top.
KEPT_SECONDS = 0.003
#: Sizes of jobs that thresholds are told for, in cycles.
SIZES = (1 << 14, 1 << 16, 1 << 18, 1 << 20)
#: Cores of a machine that thresholds are told for.
CORES = (2, 4, 8)
#: Share of the work that a batch has to save: its jobs wait for each other, and fail together.
SAVED = 0.1
#: Most jobs of a batch, and the largest segments, that are reckoned with.
MOST_JOBS, LARGEST = 64, 20
#: Verbs that a proof is made of.
_PROOF = ("prove", "lift", "join")

_NARROW, _WIDE = Features(po2=LARGEST), Features(po2=LARGEST, width=2)

Models = Mapping[str, CostModel]


class Threshold(msgspec.Struct, frozen=True):
    """From where on something pays; `value` is None where it never does."""

    name: str
    size: str
    value: float | None
    unit: str
    #: Whether it comes from what steps have cost; else it is a guess.
    learned: bool


def thresholds(models: Models) -> list[Threshold]:
    """Return the thresholds for RISC0 jobs on the device that has proved most."""
    known = {name: model.count for name, model in models.items()}

    def proved(device: str) -> int:
        return sum(known.get(risc0_name(verb, device), 0) for verb in _PROOF)

    costs = Costs(models, max(DEVICES, key=proved))
    return [*_cache(costs), *_wide(costs), *_batch(costs)]


class Costs:
    """What steps cost on one device: by what was learned there, else by the rule to begin with."""

    def __init__(self, models: Models, device: str) -> None:
        self._models, self._device = models, device

    def model(self, verb: str, *, wall: bool = False) -> CostModel:
        """Return the model of a verb."""
        name = risc0_name(verb, self._device, wall=wall)
        return self._models.get(name) or CostModel(name)

    def learned(self, *verbs: str) -> bool:
        """Return whether what these verbs cost was learned."""
        return all(self.model(verb).count >= ENOUGH for verb in verbs)

    def proof(self, cycles: int) -> float:
        """Return the CPU seconds of one receipt for an execution of so many cycles."""
        full, rest = divmod(cycles, 1 << LARGEST)
        prove = self.model("prove").predict
        proofs = full * prove(Features(po2=LARGEST))
        proofs += prove(Features(po2=_fitting(rest))) if rest else 0.0
        lift, join = (self.model(verb).predict(Features()) for verb in ("lift", "join"))
        segments = full + (rest > 0)
        return proofs + segments * lift + (segments - 1) * join

    def execution(self, cycles: int) -> float:
        """Return the CPU seconds of an execution alone."""
        return self.model("execute").predict(Features(cycles=cycles))


def serial(model: CostModel) -> float:
    """Return the part of a step that no second core makes faster, 0 to 1, by a model of the
    clock's seconds (its name ends in /wall)."""
    return min(1.0, max(0.0, 2 * model.predict(_WIDE) / model.predict(_NARROW) - 1))


def serial_known(model: CostModel) -> bool:
    """Return whether a model has seen steps of several widths, enough to tell that part."""
    terms, alone, part = RULES[model.name].terms, model.predict(_NARROW), serial(model)
    both = zip(terms(_NARROW), terms(_WIDE), strict=True)
    # How that part moves as the weights do.
    row = [(2 * wide - (1 + part) * narrow) / alone for narrow, wide in both]
    return model.count >= ENOUGH and model.known(row) >= 1


def _cache(costs: Costs) -> Iterator[Threshold]:
    """Yield the share of jobs that have to be asked for again, for keeping answers to pay."""
    for cycles in (SIZES[0], SIZES[-1]):
        share = KEPT_SECONDS / costs.proof(cycles)
        yield _share("cache", f"proof of {_cycles(cycles)}", share, costs.learned("prove", "lift"))
    for cycles in (1 << 20, 1 << 24):
        share = KEPT_SECONDS / costs.execution(cycles)
        learned = costs.learned("execute")
        yield _share("cache", f"execution of {_cycles(cycles)}", share, learned)


def _wide(costs: Costs) -> Iterator[Threshold]:
    """Yield how much shorter one of two steps has to be for them to run one after the other.

    Side by side each has half of the cores, as farm/width.py weighs it.
    """
    for verb in _PROOF:
        model = costs.model(verb, wall=True)
        part, learned = serial(model), serial_known(model)
        yield Threshold("serial", verb, round(100 * part, 2), "% of the step", learned)
        for cores in CORES:
            half, all_ = (duration(width, part) for width in (cores / 2, cores))
            ratio = 100 * (half / all_ - 1)
            size = f"{verb}, {cores} cores"
            yield Threshold("wide", size, round(ratio, 1), "% of the longer step", learned)


def _batch(costs: Costs) -> Iterator[Threshold]:
    """Yield from how many equal jobs on one execution for all of them saves enough."""
    for cycles in SIZES:
        alone = costs.proof(cycles)
        paying = (
            float(count)
            for count in range(2, MOST_JOBS + 1)
            if costs.proof(count * cycles) <= (1 - SAVED) * count * alone
        )
        learned = costs.learned(*_PROOF)
        yield Threshold("batch", _cycles(cycles), next(paying, None), "jobs", learned)


def _share(name: str, size: str, share: float, learned: bool) -> Threshold:
    value = 100 * share if share <= 1 else None
    return Threshold(name, size, value, "% of jobs asked for again", learned)


def _fitting(cycles: int) -> int:
    return min(po2 for po2 in PO2 if cycles <= 1 << po2)


def _cycles(count: int) -> str:
    return f"2^{count.bit_length() - 1} cycles"
