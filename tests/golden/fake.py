"""The bytes of a fake receipt: what a prover in development mode hands out, proving nothing."""

import struct

from farm.claim import Claim

#: Numbers of the variants in risc0-zkvm 3.0: InnerReceipt::Fake, MaybePruned::Pruned.
FAKE, PRUNED = 3, 1


def receipt(image_id: str, journal: bytes) -> bytes:
    """Return the bincode of a `Receipt` with a fake inside, of a program that ended well."""
    claim = bytes.fromhex(Claim.ok(image_id, journal).digest())
    inner = struct.pack("<II", FAKE, PRUNED) + claim
    verifier_parameters = bytes(32)
    return inner + struct.pack("<Q", len(journal)) + journal + verifier_parameters
