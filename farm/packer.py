"""Write commands for a Redis server so that a signal may come at any moment."""

from typing import Any

from redis.connection import HiredisRespSerializer


class Packer:
    """What redis-py writes commands with, given no numbers.

    hiredis 3.5 asks a number for its text, where Python runs signal handlers: it does not look
    whether one has raised, and a Ctrl-C at that moment is a segmentation fault.
    """

    def __init__(self) -> None:
        self._own = HiredisRespSerializer()

    def pack(self, *args: Any) -> list[bytes]:
        """Return the command in the server's protocol; raises DataError for what has no text."""
        packed: list[bytes] = self._own.pack(*map(_plain, args))
        return packed


def _plain(value: Any) -> Any:
    return repr(value).encode() if isinstance(value, int | float) else value
