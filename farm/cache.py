"""Keep trace proofs by what they prove, in memory, to be found again for whole batches at once.

A proof is found by its whole key, never by a hash alone. About the proofs used longest ago are
given up first. Without a capacity of its own, a cache makes room for the different proofs it has
lately seen; farm/worth.py says how much.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from farm import worth
from farm.columns import Code, Inputs, Outputs
from farm.keying import Keyer, Keys, provable
from farm.rows import Mask, Rows, from_words, picked, to_words
from farm.table import ROOM_BYTES, Table

#: Rows looked up at a time: what is held of them fits a core's own cache.
BLOCK = 8192
_PART = 1024
#: Room to begin with.
FIRST = 1024
#: Most bytes that a cache takes unless it is told.
MOST_BYTES = 64 << 20
#: What "lately" is: so many times the rows there is room for.
_LATELY = 2
#: Keys of samples that are remembered at least, as their hashes; at most twice as many.
NOTED = 1 << 14


class Found(NamedTuple):
    """What a cache has of a batch."""

    #: Which rows it holds, and their proofs in order.
    hits: Mask
    outputs: Outputs
    #: The other rows that have a proof, and their keys.
    rows: Rows
    keys: Keys
    #: Of the cache when it was asked.
    version: int


@dataclass(frozen=True)
class Stats:
    """What a cache did so far."""

    hits: int
    misses: int
    held: int
    capacity: int
    bytes: int
    saved_s: float = 0.0

    @property
    def rate(self) -> float:
        """Hits as a share of the rows asked for; 0 if none was."""
        return self.hits / max(self.hits + self.misses, 1)


class TraceCache:
    """Proofs under one limit of rounds; safe to use from several threads.

    `capacity` is how many proofs there is room for, up to eight exactly; without one it follows
    from the different proofs lately seen, within `most_bytes`.
    """

    def __init__(
        self,
        limit: int,
        capacity: int | None = None,
        *,
        most_bytes: int = MOST_BYTES,
        keyer: Keyer | None = None,
    ) -> None:
        self.limit, self.keyer = limit, keyer or Keyer()
        self._grows, self._most = capacity is None, most_bytes // ROOM_BYTES
        self._table = Table(min(FIRST, self._most) if capacity is None else capacity)
        self._new, self._asked, self._since, self._version = 0, 0, 0, 0
        self._hits, self._misses = 0, 0
        self._noted, self._before = set[int](), set[int]()
        self._lock = threading.Lock()

    def look(self, inputs: Inputs) -> Found:
        """Return what is held of a batch."""
        able = provable(inputs, self.limit)
        if able is not None:
            rows = np.flatnonzero(able)
            return _spread(self.look(inputs.pick(rows)), rows, len(inputs))
        parts = inputs.split(BLOCK, 1 << 62) if len(inputs) > BLOCK else [inputs]
        with self._lock:
            keys = [self.keyer.keys(part) for part in parts]
            places = _end_to_end([self._table.find(one) for one in keys])
            hits = places >= 0
            known = self._proofs(places[hits])
            rows = np.flatnonzero(~hits)
            missed = keys[0] if len(keys) == 1 else Keys.joined(keys)
            self._hits += len(known)
            self._misses += len(rows)
            self._asked += len(inputs)
            return Found(hits, known, rows, missed[rows] if len(known) else missed, self._version)

    def keep(self, keys: Keys, outputs: Outputs, version: int = -1) -> None:
        """Hold the proofs among these rows, whose keys all differ.

        `version` is that of the look that did not find them: if nothing was kept since, they need
        not be looked for again.
        """
        if outputs.codes.any():
            good = np.flatnonzero(outputs.codes == Code.OK)
            keys, outputs = keys[good], picked(outputs, good)
        with self._lock:
            self._make_room(len(keys))
            for start in range(0, len(keys), BLOCK):
                rows: slice | Rows = slice(start, start + BLOCK)
                if version != self._version:
                    rows = start + np.flatnonzero(self._table.find(keys[rows]) < 0)
                self._table.insert(keys[rows], to_words(outputs, rows))
            self._version += 1

    def noted(self, keys: Keys) -> int:
        """Return how many of these keys, which all differ, were noted lately; all are now."""
        fresh = set(keys.hashes.tolist())
        with self._lock:
            known = fresh & self._noted | fresh & self._before
            self._noted |= fresh
            if len(self._noted) > NOTED:
                self._noted, self._before = set(), self._noted
        return len(known)

    def stats(self) -> Stats:
        """Return how its lookups went, and what it takes."""
        with self._lock:
            held, room, size = len(self._table), self._table.capacity, self._table.bytes
            return Stats(self._hits, self._misses, held, room, size)

    def _proofs(self, places: Rows) -> Outputs:
        # In parts that stay in a core's cache on the way from the table to the columns.
        proofs = Outputs.empty(len(places))
        for start in range(0, len(places), _PART):
            rows = slice(start, start + _PART)
            from_words(self._table.values(places[rows]), proofs, rows)
        return proofs

    def _make_room(self, coming: int) -> None:
        """Change to a larger table if it is too small for the proofs lately used and those coming.

        Lately is as long as it takes to ask for twice as many as there is room for.
        """
        self._new += coming
        # Counting takes a while: once in an eighth of the room is often enough.
        if not self._grows or self._new * 8 < self._table.capacity:
            return
        self._new = 0
        used = self._table.used(self._since) + coming
        if self._asked > _LATELY * self._table.capacity:
            self._asked, self._since = 0, self._table.clock
        wanted = min(worth.capacity(used, "trace"), self._most)
        if wanted > self._table.capacity:
            larger = Table(min(max(wanted, 2 * self._table.capacity), self._most))
            columns = self._table.keys(self._table.held())
            self._table.move_to(larger, self.keyer.hashes(*columns))
            self._table, self._since = larger, 0


def _end_to_end(parts: Sequence[Rows]) -> Rows:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _spread(found: Found, rows: Rows, count: int) -> Found:
    """Return what was found of some rows of a batch as found of all of it."""
    hits = np.zeros(count, np.bool_)
    hits[rows] = found.hits
    return found._replace(hits=hits, rows=rows[found.rows])
