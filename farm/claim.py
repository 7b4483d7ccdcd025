"""What a receipt proves: the claim, its digest, and the claim of two neighbours joined.

Pure. The digests are RISC Zero's own (a tagged struct hashed with SHA-256), so a claim
recorded when the guest was executed can be compared with the one a receipt carries.
"""

import struct
from hashlib import sha256

import msgspec

#: Which recursion programs may prove a claim: those that fold receipts, and those that lift a
#: keccak proof. ALLOWED_CONTROL_ROOT and KECCAK_CONTROL_ROOT of RISC Zero 3.0.6 (its crates
#: risc0-circuit-recursion 4.0.5 and risc0-circuit-keccak 4.0.6).
RECURSION_ROOT = "a54dc85ac99f851c92d7c96d7318af41dbe7c0194edfcc37eb4d422a998c1f56"
KECCAK_ROOT = "abd93866a6878528f29ffc6ea6d9e428cc9ad020a540dd11f1d45e5e9bb6db71"

#: Digest of "nothing here": no input, no output, no assumptions.
ZERO = "00" * 32

#: How a guest ended, as `sys_exit`.
HALTED, PAUSED, SPLIT = 0, 1, 2


def tagged(tag: str, down: list[str], words: list[int]) -> str:
    """Return the digest (hex) of a struct: its tag, its fields' digests, its plain words."""
    parts = [sha256(tag.encode()).digest()]
    parts += [bytes.fromhex(digest) for digest in down]
    parts += [word.to_bytes(4, "little") for word in words]
    parts.append(len(down).to_bytes(2, "little"))
    return sha256(b"".join(parts)).hexdigest()


def state(pc: int, merkle_root: str) -> str:
    """Return the digest of the machine's state between two steps."""
    return tagged("risc0.SystemState", [merkle_root], [pc])


def output(journal: bytes, assumptions: str = ZERO) -> str:
    """Return the digest of what a guest put out: its journal, and what it relied on."""
    return _output(sha256(journal).hexdigest(), assumptions)


def _output(journal: str, assumptions: str = ZERO) -> str:
    return tagged("risc0.Output", [journal, assumptions], [])


def ok(image_id: str, journal_digest: str) -> str:
    """Return the digest of `Claim.ok` from that of the journal."""
    return Claim(image_id, state(0, ZERO), ZERO, _output(journal_digest), HALTED, 0).digest()


def assumption(claim: str, control_root: str = ZERO) -> str:
    """Return the digest of one assumption: a claim, and which programs may prove it."""
    return tagged("risc0.Assumption", [claim, control_root], [])


def assumed(digests: list[str]) -> str:
    """Return the digest of the assumptions a guest relied on, in the order of resolving."""
    tail = ZERO
    for digest in reversed(digests):
        tail = tagged("risc0.Assumptions", [digest, tail], [])
    return tail


def union(one: str, other: str) -> str:
    """Return the claim that two assumptions, given by their digests in any order, both hold."""
    return tagged("risc0.UnionClaim", sorted((one, other), key=_words), [])


def _words(digest: str) -> tuple[int, ...]:
    """Return what RISC Zero orders digests by: eight little-endian words."""
    return struct.unpack("<8I", bytes.fromhex(digest))


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One stretch of an execution; every field but the exits is a digest in hex."""

    pre: str
    post: str
    input: str
    output: str
    sys_exit: int
    user_exit: int

    def digest(self) -> str:
        """Return the digest a receipt of this claim must carry."""
        down = [self.input, self.pre, self.post, self.output]
        return tagged("risc0.ReceiptClaim", down, [self.sys_exit, self.user_exit])

    def join(self, right: "Claim") -> "Claim":
        """Return the claim of this stretch and the one that follows it."""
        return Claim(
            self.pre, right.post, self.input, right.output, right.sys_exit, right.user_exit
        )

    @classmethod
    def ok(cls, image_id: str, journal: bytes) -> "Claim":
        """Return the claim of a guest that halted with 0 and relied on nothing."""
        return cls(image_id, state(0, ZERO), ZERO, output(journal), HALTED, 0)
