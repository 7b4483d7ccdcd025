"""Define the trace programs, one proof at a time, in plain Python.

This is the meaning; farm/trace.py computes the same for whole batches. A trace proof is a mock
for development: its commitment is the SHA-256 of the states, each a little-endian u128, and
verifying it means computing it again.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import NamedTuple

from farm.errors import BadTrace

_WORD = (1 << 64) - 1
_STATE = (1 << 128) - 1


class TraceProof(NamedTuple):
    """One trace proof; never to be taken for a RISC0 receipt."""

    program: str
    output: int
    steps: int
    commitment: bytes

    @property
    def kind(self) -> str:
        """Always "trace"."""
        return "trace"


def prove(program: str, rounds: int, witness: Sequence[int]) -> TraceProof:
    """Return the proof of `program`; raises BadTrace for one that is not known or no rounds."""
    if program not in PROGRAMS:
        raise unknown(program)
    states, output = PROGRAMS[program](rounds, witness)
    commitment = sha256(b"".join(state.to_bytes(16, "little") for state in states)).digest()
    return TraceProof(program, output, len(states), commitment)


def unknown(program: str) -> BadTrace:
    """Return the error for a trace program that does not exist."""
    return BadTrace(f"no trace program {program!r}; there are {', '.join(PROGRAMS)}")


def fib_states(first: int, second: int, rounds: int) -> list[int]:
    """Return the two witness words and `rounds` wrapping sums."""
    states = [first, second]
    for _ in range(rounds):
        first, second = second, (first + second) & _STATE
        states.append(second)
    return states


def _fib(rounds: int, witness: Sequence[int]) -> tuple[list[int], int]:
    if rounds < 1:
        raise BadTrace("fib.v0 needs at least one round")
    states = fib_states(witness[0], witness[1], rounds)
    return states, states[rounds] & _WORD


def prefix_states(message: bytes) -> Iterable[int]:
    """Yield two states per chunk of 32 bytes: the halves of the SHA-256 of the prefix so far."""
    prefix = sha256()
    for start in range(0, len(message) or 1, 32):
        prefix.update(message[start : start + 32] or b"\0")
        digest = prefix.copy().digest()
        yield int.from_bytes(digest[:16], "big")
        yield int.from_bytes(digest[16:], "big")


def _sha256(rounds: int, witness: Sequence[int]) -> tuple[list[int], int]:
    message = b"".join(word.to_bytes(8, "little") for word in witness)
    return list(prefix_states(message)), int.from_bytes(sha256(message).digest()[:8], "big")


#: Name -> (rounds, witness) -> states and output; `sha256.v0` has no rounds.
PROGRAMS: dict[str, Callable[[int, Sequence[int]], tuple[list[int], int]]] = {
    "fib.v0": _fib,
    "sha256.v0": _sha256,
}
