"""Decide what is kept of what has ended: which records go, which blobs a reference still holds.

Pure. Whatever a record of the ledger names is held by that record. Of what has not ended, for as
long as it takes; of what has, until it is past its time, or until there is more of it than may be
kept: nodes go first then, and after them the receipts that were asked for longest ago.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

#: A hold that nothing loosens: something that has not ended, or that nobody knows.
FOREVER = math.inf
#: Receipts count as this much later than nodes, in seconds: more than any two times differ.
_LATER = 1e11
#: What looks like a reference is one, whatever the record calls it.
_REFERENCE = re.compile(r"(?<![0-9a-f])[0-9a-f]{64}-[0-9]{1,15}(?![0-9])")
#: Hex digits of a digest that tell two blobs apart; two that share them are only kept together.
_DIGITS = 15


class Keep(NamedTuple):
    """How long what has ended is kept, in seconds, and how many bytes of it (0: any number)."""

    jobs: float
    receipts: float
    nodes: float
    bytes: int = 0


class Policy(NamedTuple):
    """What is kept at one time; under `pressure` also what has to go for the rest to fit."""

    keep: Keep
    #: Now, and the time that counts as long ago, both by the ledger's clock.
    now: float
    old: float
    #: Holds below this one are let go, of what ended before `old`.
    pressure: float = -math.inf

    def input(self, ended: float | None) -> float | None:
        """Return how a job holds its program and input; None when it does no more."""
        return self._hold(ended, self.keep.jobs, _LATER)

    def receipt(self, ended: float | None) -> float | None:
        """Return how a job, or the answer of equal jobs, holds what it has given."""
        return self._hold(ended, self.keep.receipts, _LATER)

    def node(self, ended: float | None) -> float | None:
        """Return how a session holds its segments, nodes and outputs."""
        return self._hold(ended, self.keep.nodes, 0)

    def _hold(self, ended: float | None, seconds: float, later: float) -> float | None:
        if ended is None:
            return FOREVER
        squeezed = ended < self.old and ended + later < self.pressure
        return None if squeezed or self.now - ended > seconds else ended + later


class Holds:
    """Which blobs are held, and how strongly, as far as the ledger has been read."""

    def __init__(self) -> None:
        self._held: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._held)

    def add(self, refs: Iterable[str], hold: float) -> None:
        """Note that these blobs are held; the strongest hold counts."""
        for ref in refs:
            short = _short(ref)
            if self._held.get(short, -math.inf) < hold:
                self._held[short] = hold

    def of(self, ref: str) -> float | None:
        """Return the strongest hold on a blob, None for one that nothing names."""
        return self._held.get(_short(ref))


def named(texts: Iterable[str]) -> list[str]:
    """Return the references in the values of a record."""
    return [ref for text in texts for ref in _REFERENCE.findall(text)]


def end(state: str | None, when: str | None) -> float | None:
    """Return when something ended by its record, None if it has not, or if that cannot be read."""
    if state in (None, "", "BUFFERED", "ACCEPTED", "RUNNING"):
        return None
    try:
        return float(when or "")
    except ValueError:
        return None


def pressure(weights: Mapping[float, int], policy: Policy) -> float:
    """Return the hold below which all has to go for what has ended to fit into its bytes.

    `weights` has the bytes of the blobs under each hold. -inf when it fits already, or when
    nothing of it is old enough to go.
    """
    loose = {hold: size for hold, size in weights.items() if hold != FOREVER}
    over = sum(loose.values()) - policy.keep.bytes
    limit = -math.inf
    if not policy.keep.bytes:
        return limit
    for hold in sorted(loose):
        if over <= 0:
            break
        if _time(hold) < policy.old:
            over -= loose[hold]
            limit = math.nextafter(hold, math.inf)
    return limit


def _time(hold: float) -> float:
    return hold - _LATER if hold >= _LATER else hold


def _short(ref: str) -> int:
    return int(ref[:_DIGITS], 16)
