"""Write a receipt as risc0-zkvm hands it to a server to rely on: bincode of InnerAssumptionReceipt.

It is the inner receipt alone, and of what it claims only the digest is left.
"""

import struct
from pathlib import Path

#: How MaybePruned says that only a digest is left.
PRUNED = struct.pack("<I", 1)
#: The name of the hash function, as bincode has it: what follows the claim.
HASH = struct.pack("<Q", 9) + b"poseidon2"


def write(receipt: Path, journal: bytes, claim: str, file: Path) -> None:
    """Write the succinct receipt, whose claim has this digest, in that form."""
    raw = receipt.read_bytes()
    words = struct.unpack_from("<Q", raw, 4)[0]
    # Which kind it is, its seal, and the digest of the program that made it; after all that the
    # journal, and the digest of what verifies it.
    before, after = 4 + 8 + 4 * words + 32, len(raw) - 32 - 8 - len(journal)
    rest = raw[raw.index(HASH, before) : after]
    file.write_bytes(raw[:before] + PRUNED + bytes.fromhex(claim) + rest)
