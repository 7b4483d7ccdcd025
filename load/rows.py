"""Make trace rows that nobody asked for before, and check what comes back for them. Pure."""

import secrets
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from farm.columns import Outputs

PROGRAM = "fib.v0"
#: The reference's load: fib of 20 + i mod 50 rounds.
LEAST, LENGTHS = 20, 50

_MASK = (1 << 64) - 1
_PATTERN = np.arange(LEAST, LEAST + LENGTHS, dtype="<u4")


class Rows(NamedTuple):
    """Rows to be proved: rounds, and two witness words a row."""

    rounds: npt.NDArray[np.uint32]
    witness: npt.NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.rounds)


class Faults(NamedTuple):
    """What is wrong with the proofs of some rows: rows without one, wrong ones, equal ones."""

    lost: int = 0
    wrong: int = 0
    twice: int = 0

    def __str__(self) -> str:
        return f"{self.lost} proofs lost, {self.wrong} wrong or out of order, {self.twice} twice"


class Source:
    """Rows whose witness no other row has: a running number, and a word drawn at random."""

    def __init__(self) -> None:
        self._word = secrets.randbits(64)
        self._next = 0

    def take(self, count: int) -> Rows:
        """Return the next `count` rows."""
        numbers = np.arange(self._next, self._next + count, dtype="<u8")
        rounds = np.resize(np.roll(_PATTERN, -(self._next % LENGTHS)), count)
        self._next += count
        return Rows(rounds, np.column_stack((numbers, np.full(count, self._word, "<u8"))))


def faults(rows: Rows, done: Outputs) -> Faults:
    """Return what is wrong with the proofs that came back for `rows`, none of them computed again.

    A proof of another row is wrong: what fib puts out is a sum of multiples of its own two words.
    """
    there = min(len(rows), len(done))
    right = done.outputs[:there] == outputs(rows)[:there]
    right &= done.steps[:there] == rows.rounds[:there] + 2
    proved = done.codes[:there] == 0
    whole = bool(proved.all())  # as it should be: then no column has to be picked apart
    commitments = done.commitments[:there]
    return Faults(
        lost=len(rows) - int(np.count_nonzero(proved)),
        wrong=int(np.count_nonzero(proved & ~right)) + max(0, len(done) - len(rows)),
        twice=_repeated(commitments if whole else commitments[proved]),
    )


def outputs(rows: Rows) -> npt.NDArray[np.uint64]:
    """Return what each row's program puts out, without its states."""
    first, second = (np.take(factors, rows.rounds) for factors in _FACTORS)
    return first * rows.witness[:, 0] + second * rows.witness[:, 1]


def _factors() -> npt.NDArray[np.uint64]:
    # State n of fib is F(n - 1) times the first word and F(n) times the second.
    first, second = [1, 0], [0, 1]
    for row in (first, second):
        while len(row) < LEAST + LENGTHS:
            row.append((row[-2] + row[-1]) & _MASK)
    return np.array([first, second], "<u8")


_FACTORS = _factors()


def _repeated(commitments: npt.NDArray[np.uint8]) -> int:
    # 8 bytes of a SHA-256 tell a million proofs apart well enough, and sort as numbers.
    heads = np.sort(np.ascontiguousarray(commitments[:, :8]).view("<u8").reshape(-1))
    return int(np.count_nonzero(heads[1:] == heads[:-1]))
