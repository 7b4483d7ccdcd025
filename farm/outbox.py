"""One message on its way from the ledger to Celery.

Pure. It is kept as JSON in the outbox, or beside a chunk of a trace batch, until sent.
"""

from typing import Any

import msgspec


class Envelope(msgspec.Struct, frozen=True):
    """A task's name, where to send it, what it is called with, and how Flower shows that."""

    queue: str
    task: str
    kwargs: dict[str, Any]
    repr: str

    def again(self, attempt: int) -> "Envelope":
        """Return the same message for another attempt."""
        return Envelope(self.queue, self.task, self.kwargs | {"attempt": attempt}, self.repr)

    def json(self) -> str:
        """Return the message as it is kept."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> "Envelope":
        """Return the message kept as `text`."""
        return msgspec.json.decode(text, type=cls)
