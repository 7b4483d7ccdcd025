"""Predict what a step costs from what such steps have cost: a model that follows the measured.

Pure. Weights of the terms (farm/terms.py) by least squares on relative residuals, recursively. An
old observation fades only in the direction in which a new one tells something: a farm that does
nothing but large chunks for a week still knows what a single proof costs. A residual is taken
relative to the larger of guess and measurement, and counts less the more it stands out, so a
stray measurement a thousand times too long or too short hardly moves anything. Where most of the
latest miss to the same side the machine has changed: then the old is given up quickly.
"""

import math
from collections.abc import Sequence
from statistics import median

import msgspec

from farm.errors import BadInput
from farm.terms import LONGEST, RULES, SHORTEST, Features

#: Raised when kept models can no longer be read, or mean something else.
VERSION = 1
#: What of an old observation is left after one like it; and while the predictions are adrift,
#: which is when the median of the latest few is off by so much.
KEEP, ADRIFT_KEEP = 0.93, 0.5
FEW, ADRIFT = 9, 0.1
#: How many observations the rule to begin with is worth.
PRIOR = 0.01
#: How many of the latest errors the running median is of.
ERRORS = 64
#: Residuals of more than so many times the usual one count less; how small that can get.
STRAY, USUAL = 3.0, 0.05
#: Errors seen before anything counts as stray: until then none is usual.
SETTLED = 8
#: Share of the rule to begin with that no prediction goes below.
LEAST = 1e-3
#: How often a term may be more than all that is measured or guessed: beyond, the step cannot be.
MOST = 1e3

_Vector = list[float]
_Matrix = list[list[float]]


class CostModel(msgspec.Struct, forbid_unknown_fields=True):
    """What one kind of step costs, as far as is known; its JSON is what the ledger keeps.

    Raises BadInput for a kind that is not in farm/terms.py, or columns that do not fit it.
    """

    name: str
    v: int = VERSION
    #: How many observations it has learned from.
    count: int = 0
    weights: _Vector = []
    information: _Matrix = []
    #: Relative errors of the latest predictions, oldest first; positive: it took less.
    errors: _Vector = []

    def __post_init__(self) -> None:
        if self.name not in RULES:
            raise BadInput(f"cost model {self.name!r}: there is no such kind of step")
        if not self.weights:
            self.weights = list(RULES[self.name].start)
            self.information = _blank(len(self.weights))
        size = len(RULES[self.name].start)
        sizes = {len(self.weights), len(self.information), *map(len, self.information)}
        if self.v != VERSION or sizes != {size}:
            raise BadInput(f"cost model {self.name!r}: kept by another version")

    @property
    def error(self) -> float | None:
        """Median relative error of the latest predictions, each made before it was measured."""
        return median(map(abs, self.errors)) if self.errors else None

    def predict(self, features: Features) -> float:
        """Return the seconds a step will take; as the rule says until one was observed."""
        rule = RULES[self.name]
        terms = rule.terms(features)
        return max(_dot(self.weights, terms), LEAST * _dot(rule.start, terms))

    def observe(self, features: Features, seconds: float) -> bool:
        """Learn from one measurement; False for what cannot be one, which changes nothing."""
        rule = RULES[self.name]
        terms, guess = rule.terms(features), self.predict(features)
        if not (SHORTEST <= seconds <= LONGEST and _dot(rule.start, terms) > 0):
            return False
        if max(terms) > MOST * max(guess, seconds):
            return False
        trust = self._trust(guess, seconds)
        scale = max(guess, seconds) / math.sqrt(trust)
        self.errors = [*self.errors[1 - ERRORS :], (guess - seconds) / seconds]
        self.count += 1
        row = [term / scale for term in terms]
        self._fade(row)
        self._learn(row, (seconds - guess) / scale)
        return True

    def known(self, row: Sequence[float]) -> float:
        """Return how many observations' worth is known of the sum of the weights times `row`."""
        found = _solve(self.information, row)
        spread = _dot(row, found) if found else 0.0
        return 1 / spread if spread > 0 else 0.0

    def _trust(self, guess: float, seconds: float) -> float:
        """Return how much a measurement counts: 1, or less the more it stands out."""
        if len(self.errors) < SETTLED or self._adrift:
            return 1.0
        usual = max(USUAL, self.error or 0.0)
        return min(1.0, STRAY * usual / max(abs(math.log(seconds) - math.log(guess)), 1e-9))

    @property
    def _adrift(self) -> bool:
        return abs(median(self.errors[-FEW:])) > ADRIFT

    def _fade(self, row: _Vector) -> None:
        pull = [_dot(known, row) for known in self.information]
        strength = _dot(pull, row)
        if strength > 1e-9:
            keep = ADRIFT_KEEP if self._adrift else KEEP
            self._add(pull, (keep - 1) / strength)
        self._add(row, 1.0)

    def _add(self, row: _Vector, factor: float) -> None:
        for known, one in zip(self.information, row, strict=True):
            for at, other in enumerate(row):
                known[at] += factor * one * other

    def _learn(self, row: _Vector, residual: float) -> None:
        step = _solve(self.information, [one * residual for one in row])
        if step is None:  # rounding has eaten it up: begin anew from what is known
            self.information = _blank(len(self.weights))
            return
        self.weights = self._settled([w + s for w, s in zip(self.weights, step, strict=True)])

    def _settled(self, wanted: _Vector) -> _Vector:
        """Return the weights nearest to those wanted, as the information sees it, none negative.

        So no prediction falls as a step grows, however little was seen.
        """
        free = [at for at, weight in enumerate(wanted) if weight > 0]
        found = wanted
        while len(free) < sum(weight != 0 for weight in found):
            pull = [_dot(self.information[at], wanted) for at in free]
            part = _solve([[self.information[i][j] for j in free] for i in free], pull)
            if part is None:
                return [max(0.0, weight) for weight in wanted]
            found = [0.0] * len(wanted)
            for at, weight in zip(free, part, strict=True):
                found[at] = weight
            free = [at for at in free if found[at] > 0]
        return found


def _blank(size: int) -> _Matrix:
    return [[PRIOR * (row == column) for column in range(size)] for row in range(size)]


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def _solve(matrix: _Matrix, target: Sequence[float]) -> _Vector | None:
    """Return x of matrix x = target, None for a matrix that is not positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, target, strict=True)]
    for at, row in enumerate(rows):
        if not row[at] > 1e-12:
            return None
        for below in rows[at + 1 :]:
            factor = below[at] / row[at]
            for column in range(at, len(row)):
                below[column] -= factor * row[column]
    found: _Vector = []
    for at in reversed(range(len(rows))):
        row = rows[at]
        known = _dot(row[at + 1 : -1], found)
        found.insert(0, (row[-1] - known) / row[at])
    return found
