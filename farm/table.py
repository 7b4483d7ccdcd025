"""Hold keys with their values in fixed room, found and replaced for whole batches at once.

Keys fall into sets of eight places. Eight tags of a byte are compared in one word; a place whose
tag matches counts only if the whole key is equal. The place of a set that was used longest ago
is given up first; what was used in the same batch is of the same age.
"""

import numpy as np

from farm.columns import U64
from farm.keying import Keys
from farm.rows import WIDTH, Mask, Rows

_WAYS = 8
#: Places made for each key there should be room for: keys fall unevenly into sets.
_SPARE = 2
#: Bytes of a place: tag, age, mark, key and proof.
PLACE_BYTES = 1 + 4 + 4 + 8 * 3 + 8 * WIDTH
#: Bytes that room for one key takes.
ROOM_BYTES = _SPARE * PLACE_BYTES

_ONES = np.uint64(0x0101_0101_0101_0101)
_HIGHS = np.uint64(0x8080_8080_8080_8080)
#: Times a single bit at the bottom of byte n, its top byte is n.
_PLACES = np.uint64(0x0001_0203_0405_0607)
#: An age that no clock reaches.
_LAST = (1 << 32) - 1
_TAG, _TAKEN = np.uint64(0x7F), np.uint64(0x80)


class Table:
    """Room for `capacity` keys: up to eight exactly, beyond that for up to twice as many."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        sets = 1 if capacity <= _WAYS else -(-capacity * _SPARE // _WAYS)
        self._sets = np.uint64(sets)
        self._tags = np.zeros(sets * _WAYS, "u1")
        self._groups = self._tags.view("<u8")
        self._ages = np.zeros((sets, _WAYS), "<u4")
        self._marks = np.zeros(sets * _WAYS, "<i4")
        self._keys = np.zeros((sets * _WAYS, 3), "<u8")
        self._values = np.zeros((sets * _WAYS, WIDTH), "<u8")
        self.clock = 1
        # Places that are not there are taken for ever, by nothing.
        self._tags.reshape(sets, _WAYS)[:, capacity:] = 1
        self._ages[:, capacity:] = _LAST

    def __len__(self) -> int:
        return len(self.held())

    @property
    def bytes(self) -> int:
        """Bytes of memory it takes, full or empty."""
        return len(self._tags) * PLACE_BYTES

    def used(self, since: int) -> int:
        """Return how many keys were found or inserted after `clock` was `since`."""
        return int(np.count_nonzero(self._ages[:, : self.capacity] > since))

    def find(self, keys: Keys) -> Rows:
        """Return the place of each key, -1 where it is not held; those found count as used now."""
        home = self._home(keys.hashes)
        match = self._groups[home] ^ ((keys.hashes & _TAG | _TAKEN) * _ONES)
        match = (match - _ONES) & ~match & _HIGHS
        place = _first(home, match)
        good = self._equal(place, keys)
        rest = match & (match - np.uint64(1))
        left = np.flatnonzero((rest != 0) & ~good)
        while len(left):  # where a tag matched by chance, the next one that does
            match = rest[left]
            place[left] = at = _first(home[left], match)
            good[left] = found = self._equal(at, keys[left])
            rest[left] = match = match & (match - np.uint64(1))
            left = left[(match != 0) & ~found]
        self._tick()
        self._ages.reshape(-1)[place[good]] = self.clock
        place[~good] = -1
        return place

    def values(self, places: Rows) -> U64:
        """Return what is held at these places, a row each."""
        return self._values.take(places, axis=0)

    def insert(self, keys: Keys, values: U64) -> None:
        """Hold these keys, all different and none of them held; some are given up for others."""
        self._tick()
        home = self._home(keys.hashes)
        while len(home) and self.capacity:
            place, fits = self._given_up(home)
            # Of several that want one place, the one whose mark stays has it.
            marks = np.arange(len(home), dtype="<i4")
            self._marks[place] = marks
            first = fits & (self._marks[place] == marks)
            if first.all():
                self._put(place, keys, values)
                return
            self._put(place[first], keys[first], values[first])
            left = np.flatnonzero(fits & ~first)
            home, keys, values = home[left], keys[left], values[left]

    def _given_up(self, home: Rows) -> tuple[Rows, Mask]:
        """Return a place of each set, free or else used longest ago, and if it may be taken."""
        groups, fits = self._groups[home], np.ones(len(home), np.bool_)
        free = (groups - _ONES) & ~groups & _HIGHS
        place = _first(home, free)
        full = np.flatnonzero(free == 0)
        if len(full):
            ages = self._ages[home[full]]
            way = ages.argmin(axis=1)
            place[full] += way
            # A set that is full of this very batch has no place for more of it.
            fits[full] = ages[np.arange(len(full)), way] < self.clock
        return place, fits

    def move_to(self, other: "Table", hashes: U64) -> None:
        """Give another table all that is held, oldest first; `hashes` are those of `held`."""
        held = self.held()
        parts = np.array_split(np.argsort(self._ages.reshape(-1)[held], kind="stable"), _WAYS)
        for part in parts:  # each gets a later age there
            heads, firsts, seconds = self.keys(held[part])
            known = Keys(heads, firsts, seconds, hashes[part])
            other.insert(known, self._values[held[part]])

    def held(self) -> Rows:
        """Return the places that are taken."""
        return np.flatnonzero(self._tags & np.uint8(_TAKEN))

    def keys(self, places: Rows) -> tuple[U64, U64, U64]:
        """Return the columns of the keys at these places."""
        heads, firsts, seconds = self._keys[places].T
        return heads, firsts, seconds

    def _tick(self) -> None:
        self.clock += 1
        if self.clock == _LAST:  # all that is held is of one age then
            self._ages[:, : self.capacity] = 1
            self.clock = 2

    def _home(self, hashes: U64) -> Rows:
        return ((hashes >> np.uint64(32)) * self._sets >> np.uint64(32)).view(np.intp)

    def _equal(self, places: Rows, keys: Keys) -> Mask:
        # A place that is free has a key of zeros, which no row has.
        known = self._keys.take(places, axis=0)
        same: Mask = known[:, 1] == keys.firsts
        same &= known[:, 2] == keys.seconds
        same &= known[:, 0] == keys.heads
        return same

    def _put(self, places: Rows, keys: Keys, values: U64) -> None:
        self._keys[places, 0] = keys.heads
        self._keys[places, 1] = keys.firsts
        self._keys[places, 2] = keys.seconds
        self._values[places] = values
        self._tags[places] = keys.hashes & _TAG | _TAKEN
        self._ages.reshape(-1)[places] = self.clock


def _first(home: Rows, match: U64) -> Rows:
    """Return the place of the lowest byte that matches; the set's first where none does."""
    low = match & (np.uint64(0) - match)
    way = (low >> np.uint64(7)) * _PLACES >> np.uint64(56)
    return home * _WAYS + way.view(np.intp)
