"""Guests that a farm knows by name, and which of them take a list of inputs."""

import time

import msgspec

from farm import keys
from farm.ledger import Ledger, pairs
from farm.server import Server
from farm.session import Slot


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A guest that was registered; its program stays in the store."""

    image_id: str
    #: The reference of its program.
    program: str
    name: str = ""
    #: Whether it takes a list of inputs, and commits what came of each (farm/batched.py).
    batch: bool = False


def register(server: Server, guest: Registered) -> None:
    """Note a guest, in the place of what was known of this image id."""
    text = msgspec.json.encode(guest).decode()
    server.call("register", [keys.GUESTS], [guest.image_id, text])


def find(server: Server, image_id: str) -> Registered | None:
    """Return the guest with this image id, None if it was not registered."""
    text = server.calls([("HGET", keys.GUESTS, image_id)])[0]
    return msgspec.json.decode(text, type=Registered) if text else None


def known(server: Server) -> list[Registered]:
    """Return all guests, by name."""
    texts = pairs(server.calls([("HGETALL", keys.GUESTS)])[0]).values()
    found = [msgspec.json.decode(text, type=Registered) for text in texts]
    return sorted(found, key=lambda guest: (guest.name, guest.image_id))


class Known:
    """The guests and the slots of a farm, read again once they are `seconds` old."""

    def __init__(self, ledger: Ledger, seconds: float = 1.0) -> None:
        self._ledger, self._seconds = ledger, seconds
        self._read = -seconds
        self._guests: dict[str, Registered] = {}
        self._slots: list[Slot] = []

    def slots(self) -> list[Slot]:
        """Return the slots that are up."""
        self._look()
        return self._slots

    def guest(self, image_id: str) -> Registered | None:
        """Return the guest with this image id, None if it was not registered."""
        self._look()
        return self._guests.get(image_id)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._read < self._seconds:
            return
        self._guests = {guest.image_id: guest for guest in known(self._ledger)}
        self._slots, self._read = self._ledger.slots(), now
