"""Choose who answers for a farm: the built host, or the stand-in that plays one at full pace."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from farm import gpu, locate, segment_size, simulated_device, simulated_profile
from farm.blobs import BlobStore
from farm.errors import BadSetting, FarmError, HostMissing
from farm.frames import Part
from farm.host import Answer, Greeting, HostChild, OnEmitted
from farm.settings import Settings
from farm.simulated import SimulatedChild
from farm.simulated_blobs import SlowBlobs
from farm.simulated_device import Device


class Host(Protocol):
    """A running host, or what stands in for one; farm/host.py says what each promises."""

    @property
    def binary(self) -> str:
        """What was started."""

    @property
    def greeting(self) -> Greeting:
        """What it says of itself."""

    @property
    def pid(self) -> int:
        """Its process, 0 for none of its own."""

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""

    def request(
        self,
        verb: str,
        args: dict[str, Any] | None = None,
        parts: Sequence[Part] = (),
        on_segment: OnEmitted | None = None,
        on_keccak: OnEmitted | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Return the answer."""

    def kill(self, reason: FarmError | None = None) -> None:
        """End it at once."""

    def cpu_seconds(self) -> float | None:
        """Return what tells that it moves, None once it is gone."""

    def close(self) -> None:
        """Let it leave."""


#: Starts a host.
Start = Callable[[], Host]


def starter(settings: Settings, *, slot: str = "", cpus: Sequence[int] = ()) -> Start:
    """Return what starts the hosts of a slot, or, without one, those that only check.

    Raises BadSetting for a profile that there is not; a start raises HostMissing, HostMismatch.
    """
    if not settings.simulated:
        return lambda: HostChild(locate.find(settings), cpus=cpus, replay=settings.replay)
    profile, speed = _profile(settings), settings.simulated_speed
    where = simulated_device.folder(settings.state)
    device = Device(slot, profile.memory, where) if slot else None
    return lambda: SimulatedChild(profile, speed, device)


def has_device(greeting: Greeting) -> bool:
    """Return whether a host works on a device beside the cores, so that it can prepare a step
    while another one proves."""
    return greeting.mode == "simulated" or "cuda" in greeting.features


def largest(settings: Settings, greeting: Greeting, memory: int) -> int:
    """Return the po2 of the largest segment that a slot holds which has so many bytes of memory.

    That of its GPU counts, where it has one that tells. 0 is for a host that proves nothing
    itself, so that no segment is too large for it.
    """
    if settings.simulated:
        return _profile(settings).largest()
    if greeting.mode != "real":
        return 0
    on_gpu = gpu.memory() if has_device(greeting) else 0
    return segment_size.held_on_gpu(on_gpu) if on_gpu else segment_size.held(memory)


def there(settings: Settings) -> bool:
    """Return whether there is a host; raises HostMissing where the operator named one in vain."""
    if settings.simulated:
        return bool(_profile(settings))
    try:
        return bool(locate.find(settings))
    except HostMissing:
        if settings.host:
            raise
        return False


def slowed(settings: Settings, blobs: BlobStore) -> BlobStore:
    """Return the store as the workers of this farm find it: a simulated one has a network."""
    if not settings.simulated:
        return blobs
    return SlowBlobs(blobs, _profile(settings), settings.simulated_speed)


def _profile(settings: Settings) -> simulated_profile.Profile:
    if not settings.simulated_speed > 0:
        raise BadSetting("simulated_speed", f"{settings.simulated_speed} is not above 0")
    return simulated_profile.load(settings.simulated)
