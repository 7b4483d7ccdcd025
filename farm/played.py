"""Write and read trace receipts of guests, which only play a receipt: nothing is proved by them.

Pure. Such a file begins as no receipt does: a magic, the length of a JSON header, the header,
then the journal. The header commits by SHA-256 to the program, its input, its journal and its
cycles; whoever has the file can check that they belong together, and anyone can make one.
"""

import struct
from hashlib import sha256
from typing import Literal

import msgspec

from farm.claim import tagged
from farm.errors import BadReceipt, WrongClaim, WrongKind
from farm.settings import ZKVM

#: How files that only play a receipt begin, and their kind (host/src/receipts.rs has the same).
TRACE, SIMULATED = b"PFT1", b"PFS1"
MAGICS = {TRACE: "trace", SIMULATED: "simulated"}
_PREFIX = struct.Struct("<4sI")


class Played(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a trace receipt commits to; digests are in hex."""

    kind: Literal["trace"] = "trace"
    zkvm: str = ZKVM
    image_id: str
    #: SHA-256 of the guest's stdin.
    input: str
    #: The guest's own ("user") cycles: the others depend on the size of segments.
    cycles: int
    #: SHA-256 of the journal.
    journal: str

    def digest(self) -> str:
        """Return the commitment to all of it."""
        cycles = [self.cycles & 0xFFFFFFFF, self.cycles >> 32]
        return tagged(f"farm.Trace.{self.zkvm}", [self.image_id, self.input, self.journal], cycles)


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    says: Played
    commitment: str


def kind(raw: bytes) -> str:
    """Return the kind of a file that only plays a receipt, "" for any other."""
    return MAGICS.get(raw[:4], "")


def write(image_id: str, input: str, cycles: int, journal: bytes) -> bytes:
    """Return the trace receipt of a guest that was fed the input with this digest."""
    says = Played(
        image_id=image_id, input=input, cycles=cycles, journal=sha256(journal).hexdigest()
    )
    header = msgspec.json.encode(_Header(says, says.digest()))
    return _PREFIX.pack(TRACE, len(header)) + header + journal


def read(raw: bytes, image_id: str | None) -> tuple[Played, bytes]:
    """Return what a trace receipt commits to, and the journal.

    Raises WrongKind for any other file, BadReceipt for one that is not as it was written,
    WrongClaim for one of another program than `image_id`, which None does not ask for.
    """
    if raw[:4] != TRACE:
        raise WrongKind(kind(raw) or "risc0", "trace")
    end = _PREFIX.size + _PREFIX.unpack_from(raw)[1] if len(raw) >= _PREFIX.size else 0
    try:
        header = msgspec.json.decode(raw[_PREFIX.size : end], type=_Header)
        known = header.says.digest()
    except (msgspec.MsgspecError, ValueError, OverflowError) as error:
        raise BadReceipt(f"{len(raw)} bytes are no trace receipt: {error}") from error
    journal = raw[end:]
    if header.commitment != known or header.says.journal != sha256(journal).hexdigest():
        raise BadReceipt("the trace does not commit to what it says")
    if image_id not in (None, header.says.image_id):
        raise WrongClaim(f"image {header.says.image_id}", f"image {image_id}")
    return header.says, journal
