"""Take as long over a blob as the network of a simulated farm would."""

import time

from farm import simulated_receipts
from farm.blobs import BlobStore
from farm.simulated_profile import Profile


class SlowBlobs:
    """A store whose bodies count as long as what they play, and take their time on the way."""

    def __init__(self, blobs: BlobStore, profile: Profile, speed: float) -> None:
        self._blobs, self._profile, self._speed = blobs, profile, speed

    def put(self, body: bytes, ref: str = "") -> str:
        """Return the reference of `body`, after the time it takes to get there."""
        self._pass(body)
        return self._blobs.put(body, ref)

    def get(self, ref: str) -> bytes:
        """Return the body, after the time it takes to come; raises as the store does."""
        body = self._blobs.get(ref)
        self._pass(body)
        return body

    def has(self, ref: str) -> bool:
        """Return whether the body is there."""
        return self._blobs.has(ref)

    def delete(self, ref: str) -> None:
        """Forget the body."""
        self._blobs.delete(ref)

    def _pass(self, body: bytes) -> None:
        time.sleep(self._profile.transfer(simulated_receipts.length(body)) / self._speed)
