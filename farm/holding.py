"""Hold what all batches before one cache have in common: its worth, its flights, its counts."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from farm.cache import Found, Stats
from farm.columns import Inputs, Outputs
from farm.flight import Flights
from farm.keying import Keyer, Keys
from farm.rows import states
from farm.worth import EVERY, Worth


class Store(Protocol):
    """Where proofs are kept: farm/cache.py in memory, farm/shelf.py for several processes."""

    keyer: Keyer

    def look(self, inputs: Inputs) -> Found:
        """Return what is held of a batch."""

    def keep(self, keys: Keys, outputs: Outputs, version: int = -1) -> None:
        """Hold the proofs among these rows, whose keys all differ."""

    def noted(self, keys: Keys) -> int:
        """Return how many of these keys, which all differ, were noted before; all are now."""

    def stats(self) -> Stats:
        """Return how its lookups went, and what it takes."""


class Holding:
    """One store and what its users share; `clock` measures what the store costs."""

    def __init__(self, store: Store, worth: Worth | None, clock: Callable[[], float]) -> None:
        self.store, self.worth, self.clock = store, worth, clock
        self.flights = Flights()
        self._counts = threading.Lock()
        self._hits, self._misses, self._saved = 0, 0, 0.0
        self._asked, self._dearness = 0, 1.0

    def dearness(self, missing: Inputs, inputs: Inputs) -> float:
        """Return how many times what the rows of a batch cost its missing ones do, each.

        Adding up takes a while: for most batches it is what it was for one of the last.
        """
        if self._asked % EVERY == 0:
            share = len(missing) / len(inputs)
            self._dearness = states(missing) / states(inputs) / share
        self._asked += 1
        return self._dearness

    def count(self, hits: int, misses: int, saved_s: float = 0.0) -> None:
        """Count the rows of a batch that were not proved for it, and those that were."""
        with self._counts:
            self._hits, self._misses = self._hits + hits, self._misses + misses
            self._saved += saved_s

    def stats(self) -> Stats:
        """Return what was reused so far; a row that was not looked up counts as a miss."""
        known = self.store.stats()
        return replace(known, hits=self._hits, misses=self._misses, saved_s=self._saved)
