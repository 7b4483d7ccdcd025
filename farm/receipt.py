"""The receipt that a caller gets: proof and journal in the bytes any Rust program reads."""

import builtins
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from farm import verify
from farm.errors import BadReceipt, StoreFailed
from farm.settings import Settings
from farm.verify import Verified


@dataclass(frozen=True)
class Receipt:
    """Bincode of `risc0_zkvm::Receipt`, and what it proves of which program.

    One of kind "trace" proves nothing: it commits to what a guest did, for development. Nor does
    one of kind "simulated", which only plays a receipt.
    """

    bytes: builtins.bytes = field(repr=False)
    journal: builtins.bytes = field(repr=False)
    image_id: str
    #: Digest of the claim: image id, journal, how the guest ended; of a trace, its commitment.
    digest: str
    #: "succinct", "composite" or "groth16"; "trace" or "simulated" for one that proves nothing.
    kind: str = "succinct"

    def verify(self, image_id: str, settings: Settings | None = None) -> Verified:
        """Return what the bytes prove, if it is that this program put out this journal.

        Of a trace, its commitment is checked; `kind` of the answer says so, as ours does.
        Raises BadReceipt, WrongClaim or WrongKind; HostMissing where nothing can check a proof.
        """
        return _shown(self.bytes, image_id, settings, self.kind)

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
    def read(
        cls,
        raw: builtins.bytes,
        image_id: str,
        settings: Settings | None = None,
        *,
        mode: str = "risc0",
    ) -> "Receipt":
        """Return the receipt that the bytes are, verified to be of this program.

        A trace is taken with mode "trace" alone, a simulated one with "simulated". Raises as
        `verify` does.
        """
        shown = _shown(raw, image_id, settings, mode)
        return cls(raw, shown.journal, image_id, shown.digest, shown.kind)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        image_id: str,
        settings: Settings | None = None,
        *,
        mode: str = "risc0",
    ) -> "Receipt":
        """Return the receipt in a file, as `read` does.

        Raises BadReceipt for a file that cannot be read, too.
        """
        try:
            raw = Path(path).read_bytes()
        except OSError as error:
            raise BadReceipt(f"cannot read {path} ({error.strerror})") from error
        return cls.read(raw, image_id, settings, mode=mode)


def _shown(raw: bytes, image_id: str, settings: Settings | None, kind: str) -> Verified:
    """Return what the bytes prove, or play to prove if they are of such a kind."""
    if kind in verify.PLAYED:
        return verify.PLAYED[kind](raw, image_id)
    return verify.verify(raw, image_id, settings)
