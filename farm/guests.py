"""Guests that a farm knows by name, and which of them take a list of inputs."""

import msgspec

from farm import keys
from farm.ledger import pairs
from farm.server import Server


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
