"""Hold a trace batch as columns: what it runs on, and the proofs that come back.

Pure. One bad row fails that row alone: it gets a code, and zeros where a proof would be.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from farm import pack
from farm.errors import BadTrace
from farm.trace_plain import PROGRAMS, TraceProof, unknown

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

_INPUTS = {"words": "<u8", "rounds": "<u4", "lengths": "<u4"}
_OUTPUTS = {"outputs": "<u8", "steps": "<u4", "commitments": "u1", "codes": "u1"}


class Code(IntEnum):
    """Why a row has no proof; OK is a proof."""

    OK = 0
    NO_ROUNDS = 1
    OVER_LIMIT = 2
    BAD_WITNESS = 3

    def error(self, row: int | None = None) -> BadTrace:
        """Return the error of row number `row`, or of a proof that was asked for alone."""
        return BadTrace(_REASONS[self] if row is None else f"item {row}: {_REASONS[self]}")


_REASONS = {
    Code.OK: "is a proof",
    Code.NO_ROUNDS: "fib.v0 needs at least one round",
    Code.OVER_LIMIT: "is over the limit; see the setting trace_rounds_limit",
    Code.BAD_WITNESS: "fib.v0 takes two witness words",
}


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """One trace program on many witnesses; `words` holds the witnesses end to end."""

    program: str
    words: U64
    rounds: U32
    lengths: U32

    def __len__(self) -> int:
        return len(self.rounds)

    def pack(self, name: str) -> bytes:
        """Return the buffer that `unpack` reads; `name` makes it one of its own in a store."""
        head = {"name": name, "program": self.program}
        return pack.pack(head, _named(self, _INPUTS), _INPUTS)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        """Return the batch in a buffer; raises BadTrace for one that is not whole."""
        head, columns = pack.unpack(data, _INPUTS)
        found = cls(head.get("program", ""), **_typed(columns))
        flat = all(column.ndim == 1 for column in columns.values())
        if not flat or len(found.lengths) != len(found) or found.ends()[-1] != len(found.words):
            raise BadTrace("packed batch: its columns do not fit together")
        if found.program not in PROGRAMS:
            raise unknown(found.program)
        return found

    def ends(self) -> npt.NDArray[np.int64]:
        """Return 0 and then where each witness ends in `words`."""
        return np.concatenate(([0], np.cumsum(self.lengths, dtype=np.int64)))

    def split(self, size: int, work: int) -> "Iterator[Inputs]":
        """Yield batches of at most `size` rows and `work` steps (or one row), in order."""
        ends, start = self.ends(), 0
        steps = np.cumsum(self.rounds + self.lengths.astype(np.int64))
        while start < len(self):
            done = steps[start - 1] if start else 0
            fits = int(np.searchsorted(steps, done + work, side="right"))
            stop = min(start + size, max(fits, start + 1), len(self))
            rows, words = slice(start, stop), self.words[ends[start] : ends[stop]]
            yield Inputs(self.program, words, self.rounds[rows], self.lengths[rows])
            start = stop

    @classmethod
    def joined(cls, parts: Sequence["Inputs"]) -> "Inputs":
        """Return the rows of all parts, which are of one program, in order."""
        if len(parts) == 1:
            return parts[0]
        return cls(parts[0].program, **_joined(parts, _INPUTS))

    def pick(self, wanted: npt.NDArray[np.int64]) -> "Inputs":
        """Return the wanted rows, in the order wanted."""
        lengths = self.lengths[wanted]
        first = self.ends()[:-1][wanted] - (np.cumsum(lengths, dtype=np.int64) - lengths)
        words = np.repeat(first, lengths) + np.arange(lengths.sum(dtype=np.int64))
        return Inputs(self.program, self.words[words], self.rounds[wanted], lengths)

    def rows(self, wanted: Iterable[int]) -> Iterator[tuple[int, list[int]]]:
        """Yield the rounds and witness of each wanted row."""
        ends = self.ends()
        for at in wanted:
            yield int(self.rounds[at]), self.words[ends[at] : ends[at + 1]].tolist()


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """The proofs of a batch; `commitments` is 32 bytes a row."""

    outputs: U64
    steps: U32
    commitments: U8
    codes: U8

    def __len__(self) -> int:
        return len(self.codes)

    @classmethod
    def empty(cls, count: int) -> Self:
        """Return `count` rows of zeros, to be filled."""
        commitments = np.zeros((count, 32), "u1")
        return cls(
            np.zeros(count, "<u8"), np.zeros(count, "<u4"), commitments, np.zeros(count, "u1")
        )

    @classmethod
    def joined(cls, parts: Sequence["Outputs"]) -> Self:
        """Return the rows of all parts, in order."""
        if not parts:
            return cls.empty(0)
        return cls(**_joined(parts, _OUTPUTS))

    def split(self, counts: Iterable[int]) -> "Iterator[Outputs]":
        """Yield parts of so many rows, in order."""
        start = 0
        for count in counts:
            rows, start = slice(start, start + count), start + count
            yield Outputs(**{name: getattr(self, name)[rows] for name in _OUTPUTS})

    def pack(self, name: str) -> bytes:
        """Return the buffer that `unpack` reads; `name` says whose results they are."""
        return pack.pack({"name": name}, _named(self, _OUTPUTS), _OUTPUTS)

    @classmethod
    def unpack(cls, data: bytes, name: str) -> Self:
        """Return the proofs in a buffer; raises BadTrace for one that is not whole or another's."""
        head, columns = pack.unpack(data, _OUTPUTS)
        if head.get("name") != name:
            raise BadTrace(f"packed batch: results of {head.get('name')}, not {name}")
        found = cls(**_typed(columns))
        count = found.codes.size
        shapes = {name: (count, 32) if name == "commitments" else (count,) for name in _OUTPUTS}
        if {name: column.shape for name, column in columns.items()} != shapes:
            raise BadTrace("packed batch: its columns do not fit together")
        return found

    def row(self, program: str, at: int, first: int = 0) -> TraceProof | BadTrace:
        """Return the proof in row `at`, or why it has none; `first` is what row 0 is called."""
        if self.codes[at]:
            return Code(int(self.codes[at])).error(first + at)
        commitment = self.commitments[at].tobytes()
        return TraceProof(program, int(self.outputs[at]), int(self.steps[at]), commitment)


def _named(rows: Inputs | Outputs, types: dict[str, str]) -> dict[str, pack.Column]:
    return {name: getattr(rows, name) for name in types}


def _joined(parts: Sequence[Inputs] | Sequence[Outputs], types: dict[str, str]) -> dict[str, Any]:
    return {name: np.concatenate([getattr(part, name) for part in parts]) for name in types}


def _typed(columns: dict[str, pack.Column]) -> dict[str, Any]:
    return dict(columns)
