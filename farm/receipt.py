"""The receipt that a caller gets: proof and journal in the bytes any Rust program reads."""

import builtins
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from farm import verify
from farm.errors import BadReceipt, StoreFailed
from farm.settings import Settings


@dataclass(frozen=True)
class Receipt:
    """Bincode of `risc0_zkvm::Receipt`, and what it proves of which program."""

    bytes: builtins.bytes = field(repr=False)
    journal: builtins.bytes = field(repr=False)
    image_id: str
    #: Digest of the claim: image id, journal, how the guest ended.
    digest: str
    kind: str = "succinct"

    def verify(self, image_id: str, settings: Settings | None = None) -> None:
        """Return if the bytes prove that this program put out this journal.

        Raises BadReceipt, WrongClaim or WrongKind; HostMissing where nothing can check it.
        """
        verify.verify(self.bytes, image_id, settings)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the bytes to a file, whole or not at all; raises StoreFailed."""
        file = Path(path)
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            draft.write_bytes(self.bytes)
            draft.replace(file)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise StoreFailed(file, error.strerror or error) from error

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], image_id: str, settings: Settings | None = None
    ) -> "Receipt":
        """Return the receipt in a file, verified to be of this program.

        Raises BadReceipt for a file that cannot be read, and as `verify` does.
        """
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            raise BadReceipt(f"cannot read {path} ({error.strerror})") from error
        shown = verify.verify(raw, image_id, settings)
        return cls(raw, shown.journal, image_id, shown.digest, shown.kind)
