"""Describe what a simulated guest does: how many segments, which journal, how it ends.

Pure. Any program will do; its input, a JSON object, tells the rest. Executions with
different entropy, drawn or of a seed, give segments that never fit together, as real ones do.
"""

from collections.abc import Container, Sequence
from hashlib import sha256
from itertools import count, pairwise

import msgspec

from farm import claim as claims
from farm.claim import Claim
from farm.errors import AssumptionMissing, BadInput, GuestFailed
from farm.settings import PO2

#: A claim, and which programs may prove it.
Assumed = tuple[str, str]


class Guest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the input says; an empty input is a guest of one full segment."""

    #: Whose work it is, for who reads the record of the simulated devices.
    label: str = ""
    #: Length in cycles, or else in full segments.
    cycles: int = 0
    segments: int = 1
    #: Bytes of the journal.
    journal: int = 32
    #: Calls of the keccak accelerator, each proved by itself.
    keccaks: int = 0
    #: Claims that it relies on: their digests, in the order of resolving.
    assumes: list[str] = []
    #: What it panics with after its last segment, "" for not at all.
    panics: str = ""


def read(stdin: bytes) -> Guest:
    """Return what an input describes; raises BadInput."""
    try:
        return msgspec.json.decode(stdin, type=Guest) if stdin else Guest()
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"a simulated guest is told what to do by a JSON object: {error}") from error


def sizes(guest: Guest, po2: int) -> list[int]:
    """Return the po2 of each segment; the last one is as small as it can be."""
    if not guest.cycles:
        return [po2] * max(1, guest.segments)
    full, rest = divmod(guest.cycles, 1 << po2)
    if not rest:
        return [po2] * full
    return [po2] * full + [min(size for size in PO2 if rest <= 1 << size)]


def journal(guest: Guest, stdin: bytes) -> bytes:
    """Return what the guest puts out: the same bytes for the same input."""
    wanted, made = guest.journal, b""
    for block in count():
        if len(made) >= wanted:
            break
        made += sha256(block.to_bytes(4, "little") + stdin).digest()
    return made[:wanted]


def segment_claims(
    image_id: str, entropy: str, count: int, journal: bytes, assumes: list[str]
) -> list[Claim]:
    """Return the claim of each segment; together they are the execution's."""
    states = [image_id, *(_digest(f"{entropy} {index}") for index in range(1, count))]
    output = claims.output(journal, claims.assumed(assumes))
    inner = [
        Claim(pre, post, claims.ZERO, claims.ZERO, claims.SPLIT, 0)
        for pre, post in pairwise(states)
    ]
    last = Claim(states[-1], claims.state(0, claims.ZERO), claims.ZERO, output, claims.HALTED, 0)
    return [*inner, last]


def keccak_digest(entropy: str, index: int) -> str:
    """Return what the proof of one keccak request has to claim."""
    return _digest(f"{entropy} keccak {index}")


def rely(assumes: Sequence[Assumed], given: Container[Assumed]) -> list[str]:
    """Return the digests of what a guest assumes; raises AssumptionMissing.

    `given` is what the execution may rely on.
    """
    if missing := next((one for one in assumes if one not in given), None):
        raise failed(AssumptionMissing(f"claim digest {missing[0]}, control root {missing[1]}"))
    return [claims.assumption(*one) for one in assumes]


def failed(error: GuestFailed) -> GuestFailed:
    """Return why a guest did not end well, with its stdout and stderr, as a host has it."""
    error.bodies = [b"", f"{error}\n".encode()]
    return error


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
