"""Send small chunks of trace batches, several in a message: what regroup.py decides, done.

Clients have recorded these chunks as sent and told the scheduler by an event each. The event is
deleted some time after the message has gone: a scheduler that dies in between leaves it to the
next, and of a message that is sent twice the leases refuse one.
"""

import time
from collections.abc import Callable

import structlog

from farm import wire
from farm.book import Book
from farm.carry import Carrier
from farm.errors import LedgerDown
from farm.events import ChunkWaits
from farm.outbox import Envelope
from farm.queue import TRACE
from farm.regroup import Limits, Regroup, Waiting

log = structlog.get_logger()

#: Most rows, steps and chunks of one message: as much work as a chunk that goes alone, 30 KB.
ROWS, STEPS, CHUNKS = 16_384, 1 << 22, 64
#: Seconds until a broker that is away is asked again.
PAUSE = 1.0
#: Seconds, and number, after which events that were dealt with are deleted.
ACK_SECONDS, ACKED = 0.25, 500


class Groups:
    """The small chunks that this scheduler has been told of."""

    def __init__(
        self,
        book: Book,
        carrier: Carrier,
        linger: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._book, self._carrier, self._clock = book, carrier, clock
        self._waiting = Regroup(Limits(ROWS, STEPS, CHUNKS, linger))
        self._resume = self._acked = 0.0
        self._handled: list[str] = []

    def add(self, event: ChunkWaits, id: str) -> None:
        """Have the chunk of an event wait; the event is deleted once it is sent."""
        chunk = Waiting(event.message, event.rows, event.steps, self._clock(), id)
        self._waiting.add(chunk)

    def seconds(self) -> float:
        """Return the seconds until `send` may have something to do; a long time if never."""
        due = self._waiting.due()
        return 3600.0 if due is None else max(due, self._resume) - self._clock()

    def send(self) -> None:
        """Send what is due, and delete the events of what was sent before."""
        now = self._clock()
        if len(self._waiting) and now >= self._resume:
            self._send(now)
        if self._handled and (now >= self._acked or len(self._handled) >= ACKED):
            self._book.ack(*self._handled)
            self._handled, self._acked = [], now + ACK_SECONDS

    def _send(self, now: float) -> None:
        groups: list[list[Waiting]] = []
        try:
            groups = self._waiting.take(now, idle=self._carrier.idle(TRACE))
            while groups:
                self._carrier.hand(_message(groups[0]))
                self._handled += [chunk.event for chunk in groups.pop(0)]
        except LedgerDown as error:
            log.warning("broker away", error=str(error))
            self._resume = now + PAUSE
            for group in reversed(groups):
                self._waiting.put_back(group)


def _message(group: list[Waiting]) -> Envelope:
    if len(group) == 1:
        return group[0].message
    rows = sum(chunk.rows for chunk in group)
    kwargs = wire.together([chunk.message.kwargs for chunk in group])
    return Envelope(TRACE, "trace", kwargs, f"{rows} traces of {len(group)} batches")
