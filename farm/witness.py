"""Read what a caller gives for a trace batch into columns: numbers, lists or numpy arrays.

Pure. A row that is wrong stays in and gets a code when it is proved; only what cannot be read
as rows at all is refused here.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from farm.columns import U32, U64, Inputs
from farm.errors import BadTrace
from farm.trace_plain import PROGRAMS, unknown

_NO_WITNESS = "a witness is rows of u64 words"


def read_inputs(program: str, rounds: Any = None, witness: Any = None) -> Inputs:
    """Return the columns of a batch from what a caller has.

    `rounds` is a number or one a row (`fib.v0` only). `witness` is one row of words a row: an
    array of two dimensions or a list of lists; without it, `fib.v0` starts from 0, 1.
    Raises BadTrace for a batch that cannot be read at all.
    """
    if program not in PROGRAMS:
        raise unknown(program)
    if program == "fib.v0" and rounds is None:
        raise BadTrace("fib.v0 needs rounds")
    steps = _rounds(np.atleast_1d(np.asarray(0 if rounds is None else rounds)))
    words, lengths = _witness(witness, len(steps))
    if len(steps) == 1:
        steps = np.repeat(steps, len(lengths))
    if len(steps) != len(lengths):
        raise BadTrace(f"a batch of {len(steps)} rounds has {len(lengths)} witnesses")
    return Inputs(program, words, steps, lengths)


def _witness(witness: Any, count: int) -> tuple[U64, U32]:
    if witness is None:
        return np.tile(np.array([0, 1], "<u8"), count), np.full(count, 2, "<u4")
    try:
        table = np.asarray(witness)
    except ValueError:  # rows of different lengths
        rows = [_words(row) for row in witness]
        return np.concatenate(rows), np.array([len(row) for row in rows], "<u4")
    if table.ndim != 2 and table.size:
        raise BadTrace(_NO_WITNESS)
    width = table.shape[1] if table.ndim == 2 else 0
    return _words(witness).reshape(-1), np.full(len(table), width, "<u4")


def _words(given: Any) -> U64:
    found = np.asarray(given)
    if found.dtype.kind == "f" and not isinstance(given, np.ndarray):
        found = np.asarray(given, object)  # numpy makes floats of small and huge numbers together
        if not all(isinstance(word, int) for word in found.flat):
            raise BadTrace(_NO_WITNESS)
    # Casting an array would make what it is not of it without a word.
    if found.size and not (
        found.dtype.kind in "iuO" and found.min() >= 0 and found.max() < 1 << 64
    ):
        raise BadTrace(_NO_WITNESS)
    return found.astype("<u8")


def _rounds(rounds: npt.NDArray[Any]) -> U32:
    # An empty list has no type of its own.
    if rounds.ndim != 1 or (len(rounds) and rounds.dtype.kind not in "iuO"):
        raise BadTrace("rounds are one whole number, or one a row")
    # Clipped values keep their meaning: none at all, or over any limit.
    return np.asarray(np.clip(rounds, 0, 0xFFFFFFFF), "<u4")
