"""Put the proof that a set has a member into the bytes of risc0-aggregation 0.9, and read it there.

Pure. A member's receipt then is the claim, the path to the root, and the receipt of the set, which
all members share: bincode 1 of `SetInclusionReceipt`, or an Ethereum seal.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from farm import claim as claims
from farm import mountain, played, set_builder
from farm.errors import BadReceipt, WrongClaim, WrongKind

#: What bincode writes for the variants of an enum that are used here, and for a length.
_VALUE, _PRUNED, _HALTED = (number.to_bytes(4, "little") for number in (0, 1, 0))
_NONE, _SOME = b"\0", b"\1"
_LENGTH = 8
_WORD = 32
_ZERO = bytes.fromhex(claims.ZERO)

#: The claim of a program that ended well and relied on nothing, as `ReceiptClaim::ok` has it:
#: what is before the image id, between it and the journal, and after the journal.
_PROGRAM = _VALUE + _PRUNED
_ENDED = _VALUE + bytes(4) + _ZERO + _HALTED + bytes(4) + _VALUE + _NONE + _VALUE + _SOME + _VALUE
_ALONE = _PRUNED + _ZERO


class Inclusion(NamedTuple):
    """One member of a set: a program that ended well with this journal, and its path to the root.

    `builder` is the image id of the guest that made the set.
    """

    builder: str
    image_id: str
    journal: bytes
    path: Sequence[str]

    @property
    def claim(self) -> str:
        """The digest of the member's claim."""
        return set_builder.Member.of(self.image_id, self.journal).claim

    @property
    def root(self) -> str:
        """The Merkle root that the path leads to."""
        return mountain.climb(self.claim, self.path)

    @property
    def root_journal(self) -> bytes:
        """The journal that the receipt of the set must have."""
        return set_builder.journal(self.builder, self.root)

    def encode(self, root: bytes | None = None) -> bytes:
        """Return the receipt of the member; it has that of the set in it if `root` is given."""
        held = _NONE if root is None else _SOME + root
        path = _length(len(self.path)) + b"".join(map(bytes.fromhex, self.path))
        return self._claim() + held + path + bytes.fromhex(parameters(self.builder))

    def seal(self, root_seal: bytes = b"") -> bytes:
        """Return the seal for a verifier of sets on Ethereum: selector, path, seal of the set.

        Without the latter the contract has to know the set already.
        """
        path, words = b"".join(map(bytes.fromhex, self.path)), len(self.path)
        padded = root_seal + bytes(-len(root_seal) % _WORD)
        # A tuple of two things of any length: where it starts, where each of them starts, both.
        heads = [_WORD, 2 * _WORD, 3 * _WORD + len(path), words]
        body = b"".join(map(_word, heads)) + path + _word(len(root_seal)) + padded
        return bytes.fromhex(parameters(self.builder))[:4] + body

    def _claim(self) -> bytes:
        program = _PROGRAM + bytes.fromhex(self.image_id)
        return program + _ENDED + _length(len(self.journal)) + self.journal + _ALONE


def parameters(builder: str) -> str:
    """Return the digest that names the verifier of sets made by a builder."""
    return claims.tagged("risc0.SetInclusionReceiptVerifierParameters", [builder], [])


def seems(raw: bytes) -> bool:
    """Return whether the bytes begin as an inclusion receipt, which no other receipt does."""
    # A composite one of a single segment begins likewise, but its lengths are below 2^32.
    return raw.startswith(_PROGRAM) and any(raw[8:12] + raw[16:20])


def read(raw: bytes, builder: str = set_builder.IMAGE_ID) -> tuple[Inclusion, bytes | None]:
    """Return the member that an inclusion receipt is of, and the receipt of the set if it has one.

    Nothing is proved by that yet. Raises WrongKind for a file that only plays a receipt, BadReceipt
    for any other that is not exactly what `encode` writes, WrongClaim where the member did not end
    well or relied on others, and for a set of another builder.
    """
    if kind := played.kind(raw):
        raise WrongKind(kind, "inclusion")
    image_id, journal, rest = _member(raw)
    wanted, held, body = bytes.fromhex(parameters(builder)), rest[:1], rest[1:-_WORD]
    if rest[-_WORD:] != wanted:
        raise WrongClaim(
            f"inclusion for verifier {rest[-_WORD:].hex()}", f"{wanted.hex()} of builder {builder}"
        )
    if held not in (_NONE, _SOME):
        raise BadReceipt("neither with nor without the receipt of its set")
    for root, path in _paths(body):
        one = Inclusion(builder, image_id, journal, path)
        if root == b"" if held == _NONE else _journal(root) == one.root_journal:
            return one, root or None
    if held == _NONE:
        raise BadReceipt("its path is not as long as it says")
    raise BadReceipt("its path does not lead to the root of the set's receipt in it")


def _member(raw: bytes) -> tuple[str, bytes, bytes]:
    """Return image id and journal of the claim, and what comes after it."""
    image = len(_PROGRAM)
    ended = image + _WORD
    start = ended + len(_ENDED) + _LENGTH
    end = start + int.from_bytes(raw[start - _LENGTH : start], "little")
    rest = end + len(_ALONE)
    if not raw.startswith(_PROGRAM) or len(raw) <= rest + _LENGTH + _WORD:
        raise BadReceipt(f"{len(raw)} bytes are no whole inclusion receipt")
    if raw[ended : start - _LENGTH] != _ENDED:
        raise WrongClaim("something else", "that a program ended well")
    if raw[end:rest] != _ALONE:
        raise WrongClaim("a claim that relies on others", "one that relies on nothing")
    return raw[image:ended].hex(), raw[start:end], raw[rest:]


def _paths(body: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """Yield what is before the path, and the path, for every length that the path may have.

    A receipt before it does not say how long it is, so they are told apart by its journal.
    """
    for words, at in enumerate(range(len(body) - _LENGTH, -1, -_WORD)):
        if body[at : at + _LENGTH] == _length(words):
            nodes = range(at + _LENGTH, len(body), _WORD)
            yield body[:at], [body[node : node + _WORD].hex() for node in nodes]


def _journal(root: bytes) -> bytes:
    """Return the journal of a set's receipt: it and a digest end every receipt."""
    journal = root[-set_builder.JOURNAL - _WORD : -_WORD]
    sized = root[: -len(journal) - _WORD].endswith(_length(set_builder.JOURNAL))
    return journal if sized else b""


def _length(count: int) -> bytes:
    return count.to_bytes(_LENGTH, "little")


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")
