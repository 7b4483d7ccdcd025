"""Write and read what a simulated host makes: files that play segments and receipts.

Pure. They prove nothing, and begin as no receipt does (host/src/receipts.rs refuses them as of
the wrong kind), but carry the claim that the receipt they play would prove, so that whatever is
put together wrongly is refused as the real one would be.
"""

import struct
from hashlib import sha256

import msgspec

from farm import claim as claims
from farm.claim import Claim
from farm.errors import BadReceipt, WrongKind
from farm.played import SIMULATED
from farm.played import kind as kind_of

#: Magic, length of the file that is played, SHA-256 of the JSON that follows.
_PREFIX = struct.Struct("<4sQ32s")

#: What files there are, and what a message calls them.
FORMS = {
    "segment": "segment",
    "request": "keccak request",
    "proof": "segment receipt",
    "succinct": "succinct receipt",
    "assumption": "receipt of an assumption",
    "receipt": "receipt",
}


class Played(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file plays, and of which stretch of whose execution."""

    form: str
    #: Digest of the claim; the claim itself, where a receipt of this form shows it.
    digest: str
    claim: Claim | None = None
    #: Which programs may have proved it, for an assumption (farm/claim.py).
    root: str = claims.ZERO
    #: Of the last stretch: what was put out, by its SHA-256, and what is still assumed.
    journal_digest: str = ""
    assumed: list[str] = []
    #: Of a whole receipt.
    journal: bytes = b""
    po2: int = 0
    label: str = ""
    span: tuple[int, int] = (0, 0)


def encode(played: Played, length: int) -> bytes:
    """Return the bytes of a file that plays one of so many bytes."""
    body = msgspec.json.encode(played)
    return _PREFIX.pack(SIMULATED, length, sha256(body).digest()) + body


def decode(raw: bytes, *forms: str) -> Played:
    """Return what a file plays, if it is of one of these forms.

    Raises WrongKind for a file of another kind of host, BadReceipt for one that was cut or changed.
    """
    name = " or ".join(FORMS[form] for form in forms)
    if (kind := kind_of(raw)) not in ("simulated", ""):
        raise WrongKind(kind, "simulated")
    if raw[:4] != SIMULATED or len(raw) < _PREFIX.size:
        raise BadReceipt(f"{len(raw)} bytes are no simulated {name}")
    body = raw[_PREFIX.size :]
    if sha256(body).digest() != _PREFIX.unpack_from(raw)[2]:
        raise BadReceipt(f"it does not verify: the bytes of the simulated {name} have changed")
    try:
        played = msgspec.json.decode(body, type=Played)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadReceipt(f"{len(raw)} bytes are no simulated {name}: {error}") from error
    if played.form not in forms:
        raise BadReceipt(f"a simulated {FORMS.get(played.form, played.form)} is no {name}")
    return played


def length(raw: bytes) -> int:
    """Return the bytes of what a file plays; of any other file, its own."""
    if raw[:4] != SIMULATED or len(raw) < _PREFIX.size:
        return len(raw)
    return int(_PREFIX.unpack_from(raw)[1])
