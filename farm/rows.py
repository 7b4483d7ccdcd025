"""Take rows of trace proofs, put them into their place, and make words of them. Pure."""

from dataclasses import fields

import numpy as np
import numpy.typing as npt

from farm.columns import U64, Inputs, Outputs

Mask = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

#: Most rounds of a row that is proved, unless the operator allows more: longer ones get a code,
#: and must not count for what they would have cost.
LONGEST = 1 << 20
#: Words of a proof: commitment, output, steps.
WIDTH = 6

_COLUMNS = tuple(field.name for field in fields(Outputs))


def picked(outputs: Outputs, rows: Rows | Mask | slice) -> Outputs:
    """Return these rows of `outputs`."""
    return Outputs(**{name: getattr(outputs, name)[rows] for name in _COLUMNS})


def put(outputs: Outputs, rows: Rows | Mask | slice, part: Outputs) -> None:
    """Set these rows of `outputs` to those of `part`, in order."""
    for name in _COLUMNS:
        getattr(outputs, name)[rows] = getattr(part, name)


def to_words(outputs: Outputs, rows: Rows | slice) -> U64:
    """Return these rows, all of which are proofs, as `WIDTH` words each."""
    commitments = outputs.commitments[rows]
    words = np.empty((len(commitments), WIDTH), "<u8")
    words[:, :4] = np.ascontiguousarray(commitments).view("<u8")
    words[:, 4], words[:, 5] = outputs.outputs[rows], outputs.steps[rows]
    return words


def from_words(words: U64, outputs: Outputs, rows: slice) -> None:
    """Set these rows of `outputs` to the proofs that `to_words` has made words of."""
    outputs.commitments[rows] = words.view("u1")[:, :32]
    outputs.outputs[rows], outputs.steps[rows] = words[:, 4], words[:, 5]


def states(inputs: Inputs) -> int:
    """Return how many states the rows of a batch have together, about."""
    if inputs.program == "fib.v0":
        rounds = inputs.rounds
        if rounds.max(initial=0) > LONGEST:
            rounds = np.where(rounds > LONGEST, 0, rounds)
        return int(rounds.sum(dtype=np.int64)) + 2 * len(inputs)
    # Chunks of four words; a row without any has one all the same.
    chunks = (inputs.lengths + np.uint32(3)) >> np.uint32(2)
    empty = len(chunks) - int(np.count_nonzero(chunks))
    return 2 * (int(chunks.sum(dtype=np.int64)) + empty)
