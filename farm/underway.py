"""Take lots of single traces through the farm: each is a batch, one stream tells of them all.

For one thread. Every call may raise LedgerDown, and can then be repeated.
"""

import contextlib
import itertools
from collections.abc import Callable, Collection

from msgspec import structs

from farm.entry import Entry, Intake
from farm.errors import Busy, FarmError, LedgerDown
from farm.job import Change, State, new_id
from farm.lot import Lot

#: Seconds between two looks for batches whose changes got lost.
LOOK_SECONDS = 2.0
#: Most batches that wait to be forgotten by the ledger.
FORGOTTEN = 100


class Underway:
    """The lots that are being handed in, and those that are accepted and not over."""

    def __init__(self, intake: Intake, clock: Callable[[], float]) -> None:
        self._intake, self._clock = intake, clock
        self._stream, self._numbers = new_id("b"), itertools.count(1)
        self._after, self._look = "0", 0.0
        #: Lots by the names of their batches, and the entries of these and of lots to be sent.
        self._flying: dict[str, Lot] = {}
        self._entries: dict[Lot, Entry] = {}
        #: Batches that the ledger can forget.
        self._over: list[str] = []

    def __len__(self) -> int:
        return len(self._flying)

    def lots(self) -> Collection[Lot]:
        """Return the lots that are accepted and not over."""
        return self._flying.values()

    def send(self, lot: Lot) -> None:
        """Hand a lot in; it is accepted once this returns.

        Raises Busy for one to be sent again later, another FarmError for one that never can be.
        """
        entry = self._entries.get(lot)
        if entry is None:
            # Sent again because an answer got lost, it is the same batch.
            entry = self._entries[lot] = Entry(lot.inputs(), self._intake, self._name)
        try:
            entry.submit(self._over)
        except (Busy, LedgerDown):
            raise
        except FarmError:
            del self._entries[lot]
            raise
        self._over = []
        lot.state = State.ACCEPTED
        self._flying[entry.id] = lot

    def _name(self) -> str:
        return f"{self._stream}.{next(self._numbers)}"

    def receive(self, block_ms: int) -> None:
        """Take the results that have come; waits up to `block_ms` for the first news."""
        news: dict[str, list[Change]] = {}
        for change in self._intake.ledger.changes(self._stream, self._after, block_ms):
            news.setdefault(change.batch, []).append(change)
            self._after = change.id
        if self._clock() >= self._look:
            news = {id: news.get(id, []) for id in self._flying}
            self._look = self._clock() + LOOK_SECONDS
        try:
            for id, changes in news.items():
                if id in self._flying:
                    self._settle(id, changes)
        except LedgerDown:
            self._look = 0.0  # these changes are not told again
            raise
        if len(self._over) >= FORGOTTEN:
            self.forget()

    def _seen(self, id: str) -> list[Change]:
        """Return what the ledger has of a batch, as changes of it."""
        view = self._intake.ledger.trace_view(id)
        seen = Change(id="", state=view.state, batch=id)
        nodes = view.nodes.items()
        return [structs.replace(seen, step=step, ref=ref) for step, ref in nodes] or [seen]

    def _settle(self, id: str, changes: list[Change]) -> None:
        lot = self._flying[id]
        entry = self._entries[lot]
        try:
            changes = changes or self._seen(id)
            # The changes that named other results may never have been read.
            if entry.take(id, changes, ended=changes[-1].state.ended):
                lot.settle(entry.whole())
        except Busy:
            return  # the next look is another try
        except LedgerDown:
            raise
        except FarmError as error:
            lot.fail(error)
        if lot.over:
            del self._flying[id], self._entries[lot]
            self._over.append(id)
        elif entry.id != id:
            self._flying[entry.id] = self._flying.pop(id)

    def forget(self) -> None:
        """Let the ledger forget the batches that are over."""
        over, self._over = self._over, []
        with contextlib.suppress(FarmError):
            self._intake.ledger.trace_forget(*over)

    def fail(self, error: FarmError) -> None:
        """Give up all lots."""
        for lot in self._flying.values():
            lot.fail(error)
        for entry in self._entries.values():
            entry.give_up()
        self._flying, self._entries = {}, {}
