"""Prove the rows of a trace batch with numpy and hashlib: what works everywhere.

The same to the bit as farm/trace_plain.py, which says what the programs mean.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from farm.columns import U32, U64, Code, Inputs, Outputs
from farm.trace_plain import fib_states

#: Bytes of states held at once: about a core's second-level cache.
BLOCK = 1 << 20
#: Below this many rows a step over the rows costs more than plain integers: rows of the longest's
#: length, as a step over all of them is no dearer where some have ended.
NARROW = 32

_Rows = npt.NDArray[np.intp]
#: The states of each row as bytes, and the outputs.
_Made = tuple[Iterable[bytes | memoryview], U64]


class _Room(threading.local):
    """What a thread computes its blocks in: mapped anew for each, it cost a third of a batch."""

    def __init__(self) -> None:
        self.halves, self.states = (np.empty(BLOCK // 8, "<u8") for _ in range(2))


_room = _Room()


def prove(inputs: Inputs, done: Outputs) -> None:
    """Fill every row of `done` whose code is OK with its proof."""
    _PROVERS[inputs.program](inputs, np.flatnonzero(done.codes == Code.OK), done)


def _prove_fib(inputs: Inputs, rows: _Rows, done: Outputs) -> None:
    starts = inputs.ends()[:-1]
    for block in _blocks(inputs.rounds, rows):
        first, second = inputs.words[starts[block]], inputs.words[starts[block] + 1]
        rounds = inputs.rounds[block]
        full = int(rounds.sum(dtype=np.int64)) >= NARROW * int(rounds[-1])
        make = _wide if full else _narrow
        states, done.outputs[block] = make(first, second, rounds)
        # Of rows held as tuples there would soon be enough for Python to look for cycles in them.
        digests = b"".join([sha256(row).digest() for row in states])
        done.commitments[block] = np.frombuffer(digests, "u1").reshape(-1, 32)
        done.steps[block] = rounds + 2


def _blocks(rounds: U32, rows: _Rows) -> Iterator[_Rows]:
    """Yield the rows in blocks of like length whose states fit `BLOCK`, however long one is."""
    rows = rows[np.argsort(rounds[rows], kind="stable")]
    start = 0
    while start < len(rows):
        # Rising lengths: the last row that fits decides the size of every row before it.
        sizes = (rounds[rows[start : start + BLOCK // 48]].astype(np.int64) + 2) * 16
        fits = int(np.count_nonzero(sizes * np.arange(1, len(sizes) + 1) <= BLOCK))
        yield rows[start : start + max(fits, 1)]
        start += max(fits, 1)


def _narrow(first: U64, second: U64, rounds: U32) -> _Made:
    joined, outputs = [], []
    for older, newer, steps in zip(first.tolist(), second.tolist(), rounds.tolist(), strict=True):
        states = fib_states(older, newer, steps)
        joined.append(b"".join([state.to_bytes(16, "little") for state in states]))
        outputs.append(states[steps] & 0xFFFF_FFFF_FFFF_FFFF)
    return joined, np.array(outputs, "<u8")


def _wide(first: U64, second: U64, rounds: U32) -> _Made:
    states = _fib_states(first, second, int(rounds[-1]) + 2)
    view, width = states.reshape(-1).view("u1").data, states.shape[1] * 16
    sizes = enumerate((16 * (rounds.astype(np.int64) + 2)).tolist())
    rows = (view[row * width : row * width + size] for row, size in sizes)
    return rows, states[np.arange(len(rounds)), rounds, 0]


def _fib_states(first: U64, second: U64, count: int) -> npt.NDArray[np.uint64]:
    """Return rows x `count` states, each as its low and its high half, until the next call."""
    rows, size = len(first), 2 * count * len(first)
    # Halves by step and not by row: each sum then runs over memory that lies together.
    halves = _room.halves[:size].reshape(count, 2, rows)
    halves[0, 0], halves[1, 0], halves[:2, 1] = first, second, 0
    for step in range(2, count):
        older, newer, (low, high) = halves[step - 2], halves[step - 1], halves[step]
        np.add(older[0], newer[0], out=low)
        np.add(older[1], newer[1], out=high)
        high += low < newer[0]
    states = _room.states[:size].reshape(rows, count, 2)
    states[:] = halves.transpose(2, 0, 1)
    return states


def _prove_sha256(inputs: Inputs, rows: _Rows, done: Outputs) -> None:
    message = inputs.words.tobytes()
    ends = inputs.ends() * 8
    for row in rows:
        states, output = _prefixes(message[ends[row] : ends[row + 1]])
        done.commitments[row] = np.frombuffer(sha256(states).digest(), "u1")
        done.outputs[row] = int.from_bytes(output[:8], "big")
        done.steps[row] = len(states) // 16


def _prefixes(message: bytes) -> tuple[bytes, bytes]:
    """Return the states as bytes, and the digest of the message."""
    prefix, states = sha256(), []
    for start in range(0, len(message), 32):
        prefix.update(message[start : start + 32])
        digest = prefix.copy().digest()
        states += [digest[15::-1], digest[:15:-1]]
    if not states:
        digest = sha256(b"\0").digest()
        states = [digest[15::-1], digest[:15:-1]]
    return b"".join(states), prefix.digest()


_PROVERS: dict[str, Callable[[Inputs, _Rows, Outputs], None]] = {
    "fib.v0": _prove_fib,
    "sha256.v0": _prove_sha256,
}
