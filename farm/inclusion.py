"""Put the proof that a set has a member into the bytes that the crate risc0-aggregation 0.9 reads.

Pure. A member's receipt then is the claim, the path to the root, and the receipt of the set, which
all members share: bincode 1 of `SetInclusionReceipt`, or an Ethereum seal.
"""

from collections.abc import Sequence
from typing import NamedTuple

from farm import claim as claims
from farm import mountain, set_builder

#: What bincode writes for the variants of an enum that are used here.
_VALUE, _PRUNED, _HALTED = (number.to_bytes(4, "little") for number in (0, 1, 0))
_NONE, _SOME = b"\0", b"\1"
_WORD = 32


class Inclusion(NamedTuple):
    """One member of a set: a program that ended well with this journal, and its path to the root.

    `builder` is the image id of the guest that made the set.
    """

    builder: str
    image_id: str
    journal: bytes
    path: Sequence[str]

    @property
    def root_journal(self) -> bytes:
        """The journal that the receipt of the set must have."""
        claim = set_builder.Member.of(self.image_id, self.journal).claim
        return set_builder.journal(self.builder, mountain.climb(claim, self.path))

    def encode(self, root: bytes | None = None) -> bytes:
        """Return the receipt of the member; it has that of the set in it if `root` is given."""
        held = _NONE if root is None else _SOME + root
        path = len(self.path).to_bytes(8, "little") + b"".join(map(bytes.fromhex, self.path))
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
        merkle_root = bytes.fromhex(claims.ZERO)
        ended = _VALUE + bytes(4) + merkle_root
        journal = _VALUE + len(self.journal).to_bytes(8, "little") + self.journal
        output = _VALUE + _SOME + journal + _PRUNED + bytes.fromhex(claims.ZERO)
        program = _PRUNED + bytes.fromhex(self.image_id)
        return _VALUE + program + ended + _HALTED + bytes(4) + _VALUE + _NONE + output


def parameters(builder: str) -> str:
    """Return the digest that names the verifier of sets made by a builder."""
    return claims.tagged("risc0.SetInclusionReceiptVerifierParameters", [builder], [])


def _word(number: int) -> bytes:
    return number.to_bytes(_WORD, "big")
