"""Make keys of trace rows, and hash them, for whole batches at once.

A key is three words: the program with its rounds or length, then the witness where it fits into
two words, else a digest of it. Equal keys mean equal proofs; hashes only say where to look.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from hashlib import blake2b
from secrets import token_bytes
from typing import Self

import numpy as np

from farm.columns import U64, Inputs
from farm.rows import Mask, Rows

#: Heads of sha256.v0 start here: over any rounds, so that no two programs share a key.
_SHA256 = np.uint64(1 << 62)
#: Words of a witness that a key has room for.
_ROOM = 2


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """The keys of some rows as columns, and a hash each."""

    heads: U64
    firsts: U64
    seconds: U64
    hashes: U64

    def __len__(self) -> int:
        return len(self.heads)

    def __getitem__(self, rows: Rows | Mask | slice) -> "Keys":
        return Keys(self.heads[rows], self.firsts[rows], self.seconds[rows], self.hashes[rows])

    @classmethod
    def joined(cls, parts: Sequence["Keys"]) -> Self:
        """Return the keys of all parts, in order."""
        names = [field.name for field in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))

    def equal(self, others: "Keys") -> Mask:
        """Return which rows have the very same key as the row of `others` at their place."""
        same: Mask = self.firsts == others.firsts
        same &= self.seconds == others.seconds
        same &= self.heads == others.heads
        return same

    def leaders(self) -> Rows:
        """Return for each row the first row that has the same key."""
        rows = np.arange(len(self))
        found, left, keys, hashes = rows, rows, self, self.hashes
        shift = np.uint64(64 - max(2 * len(self), 2).bit_length())
        places = np.empty(1 << (64 - int(shift)), np.intp)
        while len(left):
            at = (hashes >> shift).view(np.int64)
            places[at[::-1]] = left[::-1]  # assigned in turn: the first row that meets here stays
            chosen = places[at]
            same = keys.equal(self[chosen])
            if found is rows:
                found = np.where(same, chosen, rows)
            else:
                found[left[same]] = chosen[same]
            left = left[~same]
            # Keys that met once meet elsewhere now: the lower bits of the hash decide.
            keys = self[left]
            hashes = keys.hashes * np.uint64(0x9E37_79B9_7F4A_7C15)
        return found

    def different(self) -> tuple[Rows, Rows]:
        """Return the first row of each different key, and for each row which of them it has."""
        leaders, rows = self.leaders(), np.arange(len(self))
        first = leaders == rows
        if first.all():
            return rows, rows
        firsts = np.flatnonzero(first)
        rows[firsts] = np.arange(len(firsts))
        return firsts, rows[leaders]


class Keyer:
    """Makes keys; its seed is secret and drawn anew, so that nobody can aim at one place.

    `bits` is how much of a hash is kept: fewer force collisions, for tests.
    """

    def __init__(self, seed: bytes = b"", bits: int = 64) -> None:
        self._seed = seed or token_bytes(32)
        drawn = np.frombuffer(blake2b(self._seed, digest_size=32).digest(), "<u8")
        self._factors = [np.uint64(int(word) | 1) for word in drawn]  # odd: no bit is lost
        self._mask = None if bits >= 64 else np.uint64(((1 << bits) - 1) << (64 - bits))

    def keys(self, inputs: Inputs) -> Keys:
        """Return the keys of a batch whose rows all have a proof (see `provable`)."""
        if inputs.program == "fib.v0":
            pairs = inputs.words.reshape(-1, _ROOM)
            columns = inputs.rounds.astype("<u8"), pairs[:, 0], pairs[:, 1]
        else:
            columns = self._messages(inputs)
        return Keys(*columns, self.hashes(*columns))

    def hashes(self, heads: U64, firsts: U64, seconds: U64) -> U64:
        """Return a hash a row."""
        mixed = heads * self._factors[0]
        mixed += firsts * self._factors[1]
        mixed += seconds * self._factors[2]
        mixed ^= mixed >> np.uint64(32)
        mixed *= self._factors[3]
        mixed ^= mixed >> np.uint64(29)
        return mixed if self._mask is None else mixed & self._mask

    def sample(self, inputs: Inputs, count: int) -> Rows:
        """Return about `count` of the rows; of equal rows all or none, alike in every batch."""
        if len(inputs) <= count:
            return np.arange(len(inputs))
        if inputs.program == "fib.v0":
            first, second = _pairs(inputs)
            sums = inputs.rounds * self._factors[0]
            sums += first * self._factors[1]
            sums += second * self._factors[2]
        else:
            totals = np.concatenate((np.zeros(1, "<u8"), np.cumsum(inputs.words, dtype="<u8")))
            sums = np.diff(totals[inputs.ends()]) * self._factors[1]
            sums += inputs.lengths * self._factors[0]
        halvings = (len(inputs) // count).bit_length()
        return np.flatnonzero(sums < np.uint64(1 << (64 - halvings)))

    def _messages(self, inputs: Inputs) -> tuple[U64, U64, U64]:
        lengths, ends = inputs.lengths, inputs.ends()
        padded = np.concatenate((inputs.words, np.zeros(_ROOM, "<u8")))
        first = np.where(lengths > 0, padded[ends[:-1]], np.uint64(0))
        second = np.where(lengths > 1, padded[ends[:-1] + 1], np.uint64(0))
        body, ends = padded.data.cast("B"), ends * 8
        for row in np.flatnonzero(lengths > _ROOM).tolist():
            digest = blake2b(body[ends[row] : ends[row + 1]], digest_size=16, key=self._seed)
            first[row], second[row] = np.frombuffer(digest.digest(), "<u8")
        return lengths.astype("<u8") | _SHA256, first, second


def _pairs(inputs: Inputs) -> tuple[U64, U64]:
    """Return the first and the second word of each row, whatever of those that have not two."""
    if (inputs.lengths == _ROOM).all():
        return inputs.words[0::2], inputs.words[1::2]
    padded = np.concatenate((inputs.words, np.zeros(_ROOM, "<u8")))
    starts = inputs.ends()[:-1]
    return padded[starts], padded[starts + 1]


def provable(inputs: Inputs, limit: int) -> Mask | None:
    """Return which rows have a proof under `limit`; None for all of them."""
    if inputs.program == "fib.v0":
        # Zero rounds wrap to the largest number: one comparison for both ends.
        mask: Mask = (inputs.rounds - np.uint32(1)) < min(limit, 0xFFFF_FFFF)
        mask &= inputs.lengths == _ROOM
    else:
        mask = inputs.lengths <= 4 * limit
    return None if mask.all() else mask
