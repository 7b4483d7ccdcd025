"""Decide whether a cache pays, from what lookups, proofs and hits were measured to be.

Pure. While it does not pay, a sample of the rows is looked up now and then, to see whether it
would: a small share of what proving costs is put by for that, and no more is ever spent on it.
"""

import math
from enum import Enum

#: Share of the cost of proofs that finding out may cost.
SHARE = 0.006
#: What there is for it before anything was proved, and the most that is ever put by: seconds.
LOAN, MOST = 1e-3, 0.05
#: Rows of a sample; no batch counts for more than so many rows in the hit rate.
SAMPLE = 256
#: Rows that the hit rate is of, about; and how many it takes to be believed.
MEMORY, ENOUGH = 1024, 64
#: How often over its cost a lookup must save before a cache that is not in use is used.
EAGER = 1.25
#: Room for each different proof seen: reference.md has both figures.
ROOM = {"trace": 1.5, "risc0": 100.0}
#: Calls that are all learned from; of later ones, one in so many: learning shows in what they cost.
FIRST, EVERY = 16, 8
#: What of an old measurement is left after a new one.
_KEEP = 0.9


class Use(Enum):
    """What to do with a cache for one batch."""

    NONE = "none"
    SAMPLE = "sample"
    ALL = "all"


class Line:
    """Seconds of a call on so many rows: `fixed`, and `each` row; a guess until observed."""

    def __init__(self, fixed: float, each: float) -> None:
        self.fixed, self.each = fixed, each
        self._count = 0
        # Weighted sums: of 1, rows, rows^2, seconds, rows x seconds.
        self._sums = [0.0] * 5
        for rows in (1, 4096):
            self._add(rows, fixed + each * rows)

    def __call__(self, rows: float) -> float:
        """Return the seconds it will take."""
        return self.fixed + self.each * rows

    def observe(self, rows: float, seconds: float) -> None:
        """Learn from one call, of many calls from some; no rows or no time tell nothing."""
        if rows <= 0 or seconds <= 0:
            return
        self._count += 1
        if self._count > FIRST and self._count % EVERY:
            return
        self._sums = [_KEEP * one for one in self._sums]
        self._add(rows, seconds)
        weight, x, xx, y, xy = self._sums
        spread = weight * xx - x * x
        if spread < 1e-6 * weight * xx:  # all of one size: the line moves, its slope is unknown
            factor = (seconds / self(rows)) ** (1 - _KEEP)
            self.fixed, self.each = self.fixed * factor, self.each * factor
            return
        self.each = (weight * xy - x * y) / spread
        self.fixed = (y - self.each * x) / weight
        if self.fixed < 0:
            self.fixed, self.each = 0.0, xy / xx
        elif self.each < 0:
            self.fixed, self.each = y / weight, 0.0

    def _add(self, rows: float, seconds: float) -> None:
        # Relative errors count: else the largest calls would say what the smallest cost.
        weight = seconds**-2
        for at, term in enumerate((1.0, rows, rows * rows, seconds, rows * seconds)):
            self._sums[at] += weight * term


class Worth:
    """What a cache is worth; `look` and `keep` are what its calls cost.

    Seconds are CPU seconds, or whatever the caller measures in, of proofs and cache alike.
    """

    def __init__(self, look: Line, keep: Line) -> None:
        self.look, self.keep = look, keep
        #: What looking at a sample costs, by the rows of the whole batch.
        self.probe = Line(look(SAMPLE) + keep(SAMPLE), look.each / 10)
        #: Seconds put by for samples, and for using it in vain.
        self.purse, self.stake = LOAN, 0.0
        self._on = False
        self._hits, self._seen = 0.0, 0.0

    @classmethod
    def of_memory(cls) -> "Worth":
        """Return what a cache in memory is worth before it is measured: dozens of numpy calls."""
        return cls(Line(6e-5, 8e-8), Line(6e-5, 1.5e-7))

    @property
    def rate(self) -> float:
        """Hits as a share of the rows lately looked up."""
        return self._hits / self._seen if self._seen else 0.0

    def choose(self, rows: int, proofs_s: float) -> Use:
        """Return what to do for a batch that takes `proofs_s` seconds to prove."""
        look = self.look(rows)
        if proofs_s <= look:
            self.earn(proofs_s)
            return Use.NONE
        cost = look + self.keep(rows * (1 - self.rate))
        ready = self._on or (self._seen >= ENOUGH and self.stake >= 0)
        self._on = ready and self.rate * proofs_s > cost * (1 if self._on else EAGER)
        if self._on:
            return Use.ALL
        if self.purse > self.probe(rows):
            return Use.SAMPLE
        self.earn(proofs_s)
        return Use.NONE

    def earn(self, proved_s: float) -> None:
        """Put something by, for proofs that were not looked up or not found."""
        self.purse = min(self.purse + SHARE / 2 * proved_s, MOST)
        self.stake = min(self.stake + SHARE / 2 * proved_s, MOST)

    def settle(self, use: Use, looked: int, hits: int, saved_s: float, spent_s: float) -> None:
        """Learn what came of a batch: rows looked up and found, seconds saved and spent."""
        weight = min(looked, SAMPLE) / looked if looked else 0.0
        self._hits += weight * hits
        self._seen += weight * looked
        if self._seen > MEMORY:
            self._hits, self._seen = self._hits / 2, self._seen / 2
        if use is Use.ALL:
            self.stake = min(self.stake + saved_s - spent_s, MOST)
        else:
            self.purse -= spent_s


def capacity(different: int, kind: str) -> int:
    """Return for how many proofs of a kind ("trace", "risc0") to have room, by those seen."""
    return math.ceil(different * ROOM[kind])
