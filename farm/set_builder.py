"""What the set builder (guest/set-builder) reads, relies on and commits.

Pure. It takes members by image id and journal, so that none can be conditional, and relies on one
claim: the union of theirs, in pairs by their order, an odd last one going up as it is.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from farm import claim as claims
from farm.errors import BadInput

#: Bytes that it commits.
JOURNAL = 96

#: Cycles of the builder, measured with 1 to 1,000 members by segments of 2^20 (right to 2 %): each
#: member, and what is there without any; of the latter also what the end of a segment takes.
EACH, ALONE, RESERVED = 42_136, 3_000, 20_000
#: Rows of the largest segment that most slots hold.
SEGMENT = 1 << 20

#: Image id of guest/blobs/set-builder.bin (guest/images.toml has it): whose sets the farm makes.
IMAGE_ID = "e618c9da065161952592cba3af76ae65b99187b869d12dfad02b34128537c63e"


class Member(NamedTuple):
    """A program that ended well, and its journal by its SHA-256 (64 hex digits)."""

    image_id: str
    journal_digest: str

    @classmethod
    def of(cls, image_id: str, journal: bytes) -> "Member":
        """Return the member with this journal."""
        return cls(image_id, sha256(journal).hexdigest())

    @property
    def claim(self) -> str:
        """The digest of its claim."""
        return claims.ok(*self)


def cycles(count: int) -> int:
    """Return the cycles in which a set of so many members is built, paging among them."""
    return EACH * count + ALONE


def room(count: int) -> int:
    """Return how many members the rows have room for that so many members take.

    A segment has a power of two of rows, so some more cost the builder nothing; of several
    segments only the last has any to spare, and that is not counted on.
    """
    rows = 1 << (cycles(count) + RESERVED - 1).bit_length()
    return max(count, (rows - RESERVED - ALONE) // EACH) if rows <= SEGMENT else count


def read(raw: bytes) -> tuple[str, list[Member]]:
    """Return the image id and the members that a builder is fed; raises BadInput."""
    body = raw[4:]
    if int.from_bytes(raw[:4], "little") != len(body) or len(body) % 64 != 32 or len(body) < 96:
        raise BadInput(f"set builder: {len(raw)} bytes are no image id and members")
    found = [body[at : at + 32].hex() for at in range(0, len(body), 32)]
    return found[0], [Member(*pair) for pair in zip(found[1::2], found[2::2], strict=True)]


def stdin(builder: str, members: Sequence[Member]) -> bytes:
    """Return what the builder of this image id reads."""
    digests = [builder, *(digest for member in members for digest in member)]
    body = b"".join(map(bytes.fromhex, digests))
    return len(body).to_bytes(4, "little") + body


def united(members: Sequence[Member]) -> str:
    """Return the digest of what the builder relies on; RECURSION_ROOT has to have proved it."""
    level = [member.claim for member in members]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2], strict=False)
        odd = level[-1:] if len(level) % 2 else []
        level = [*(claims.union(*map(_assumed, pair)) for pair in pairs), *odd]
    return level[0]


def journal(builder: str, root: str) -> bytes:
    """Return what a builder commits for a set with this root: 96 bytes.

    Between the two stands which heights have a peak: the highest possible, 2^255, alone.
    """
    return bytes.fromhex(builder) + (1 << 255).to_bytes(32, "big") + bytes.fromhex(root)


def _assumed(claim: str) -> str:
    return claims.assumption(claim, claims.RECURSION_ROOT)
