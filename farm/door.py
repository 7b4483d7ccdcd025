"""Send those away at once who come again while the farm is still busy."""

from types import TracebackType

from farm.errors import Busy
from farm.ledger import Ledger

#: The share of all room that is worth another try with a whole batch.
SHARE = 1 / 16


class Door:
    """The way in for one client's batches, as a block around each submit.

    Reading and cutting a batch costs more than to be told that there is no room: who was refused
    has that asked first. Raises Busy then. Safe to use from several threads.
    """

    def __init__(self, ledger: Ledger, held_limit: int) -> None:
        self._ledger, self._held_limit = ledger, held_limit
        self._refused = False

    def __enter__(self) -> None:
        if self._refused:
            self._ledger.trace_room("", int(SHARE * self._held_limit), self._held_limit)

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        self._refused = kind is Busy
