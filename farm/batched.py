"""What a guest that takes a list of inputs reads and commits (guest/batch).

Pure. Numbers are little-endian u32.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from farm.errors import BadReceipt, WrongClaim

_WORD = 4
_DIGEST = 32


class Output(NamedTuple):
    """What came of one input: that one's SHA-256 (64 hex digits), and what was put out."""

    digest: str
    output: bytes


def stdin(inputs: Sequence[bytes]) -> bytes:
    """Return what the guest reads: a frame with each input and its length before it."""
    listed = [part for one in inputs for part in (_number(len(one)), one)]
    body = b"".join([_number(len(inputs)), *listed])
    return _number(len(body)) + body


def outputs(journal: bytes) -> list[Output]:
    """Return what came of each input, in their order; raises BadReceipt for no such journal."""
    count, at = _read(journal, 0), _WORD
    found: list[Output] = []
    for _ in range(count):
        start = at + _DIGEST + _WORD
        end = start + _read(journal, start - _WORD)
        if end > len(journal):
            raise BadReceipt(f"its journal of {len(journal)} bytes ends within output {len(found)}")
        found.append(Output(journal[at : at + _DIGEST].hex(), journal[start:end]))
        at = end
    if at != len(journal):
        raise BadReceipt(f"its journal goes on after {count} outputs")
    return found


def output_of(journal: bytes, index: int, digest: str) -> bytes:
    """Return what came of the input with this number and SHA-256.

    Raises WrongClaim where that number has another input, BadReceipt for a journal of no batch.
    """
    found = outputs(journal)
    if not 0 <= index < len(found):
        raise WrongClaim(f"the outputs of {len(found)} inputs", f"that of number {index}")
    if found[index].digest != digest:
        raise WrongClaim(f"the output of input {found[index].digest}", f"that of {digest}")
    return found[index].output


def journal(found: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return what the guest commits for these inputs and outputs."""
    parts = [
        part for one in found for part in (sha256(one[0]).digest(), _number(len(one[1])), one[1])
    ]
    return b"".join([_number(len(found)), *parts])


def _number(value: int) -> bytes:
    return value.to_bytes(_WORD, "little")


def _read(journal: bytes, at: int) -> int:
    if at + _WORD > len(journal):
        raise BadReceipt(f"its journal of {len(journal)} bytes is no list of outputs")
    return int.from_bytes(journal[at : at + _WORD], "little")
