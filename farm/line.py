"""Hold the ready steps of one tenant, the most urgent first; now and then the oldest.

Pure. One turn in `TURNS` goes to the oldest job, whatever the priority of others: so a step waits
for a bounded number of turns, however much of higher priority keeps coming.
"""

import heapq
from collections.abc import Callable
from typing import NamedTuple

#: What orders ready steps: minus priority, rank of the kind, age of the job, first segment.
Order = tuple[int, int, int, int]
#: A step of a session.
Key = tuple[str, str]

#: One turn in so many is for the oldest job. A guess: an eighth bends no priority much.
TURNS = 8
#: Stale entries that a heap may hold beside as many as there are live ones.
SLACK = 64

#: Order, number of the offer, step.
_Entry = tuple[Order, int, Key]
_Heaps = dict[int, list[_Entry]]


def rank_of(order: Order) -> int:
    """Return the rank of the kind in an order."""
    return order[1]


class Offer(NamedTuple):
    """A ready step: it works on `length` bytes, and needs a slot for segments of 2^`po2`."""

    number: int
    order: Order
    po2: int
    length: int


class Line:
    """Ready steps, and what the tenant has used: slot time by its weight."""

    def __init__(self, name: str, weight: float, since: int) -> None:
        self.name, self.weight = name, weight
        #: When it was served last, or came.
        self.since = since
        #: What was sent for it; the part of it that is not back yet.
        self.used = self.running = 0.0
        #: How many steps were sent, and how many of them are not back.
        self.turns = self.flying = 0
        #: Bytes that its ready steps work on.
        self.bytes = 0
        self.offers: dict[Key, Offer] = {}
        self._urgent: _Heaps = {}
        self._oldest: _Heaps = {}
        #: What a draw has taken out so far, and where from.
        self._drawn: set[Key] = set()
        self._out: list[tuple[list[_Entry], _Entry]] = []

    @property
    def done(self) -> float:
        """What it has used and is back."""
        return self.used - self.running / self.weight

    @property
    def left(self) -> int:
        """How many steps a draw has left in."""
        return len(self.offers) - len(self._drawn)

    def offer(self, key: Key, offer: Offer) -> None:
        """Add a step, or give it another place."""
        self.offers[key] = offer
        priority, rank, seq, at = offer.order
        self._push(self._urgent, (offer.order, offer.number, key), offer.po2)
        self._push(self._oldest, ((seq, rank, priority, at), offer.number, key), offer.po2)

    def draw(self, biggest: int, unfit: Callable[[Key], bool]) -> Key | None:
        """Return the next step of segments up to 2^`biggest` that is not unfit, None for none.

        It is not returned again before `put_back`.
        """
        oldest = (self.turns + len(self._drawn)) % TURNS == TURNS - 1
        heaps, passed, found = self._oldest if oldest else self._urgent, [], None
        while found is None and (heap := self._best(heaps, biggest)):
            entry = heapq.heappop(heap)
            key = entry[2]
            if key not in self._drawn and unfit(key):
                passed.append((heap, entry))
                continue
            self._out.append((heap, entry))
            if key not in self._drawn:
                found = key
        for heap, entry in passed:
            heapq.heappush(heap, entry)
        if found:
            self._drawn.add(found)
        return found

    def put_back(self) -> None:
        """End a draw: nothing is taken out."""
        for heap, entry in self._out:
            heapq.heappush(heap, entry)
        self._out.clear()
        self._drawn.clear()

    def _push(self, heaps: _Heaps, entry: _Entry, po2: int) -> None:
        heap = heaps.setdefault(po2, [])
        if len(heap) > 2 * len(self.offers) + SLACK:
            heap[:] = filter(self._live, heap)
            heapq.heapify(heap)
        heapq.heappush(heap, entry)

    def _best(self, heaps: _Heaps, biggest: int) -> list[_Entry] | None:
        found = None
        for po2, heap in heaps.items():
            while heap and not self._live(heap[0]):
                heapq.heappop(heap)
            if heap and po2 <= biggest and (found is None or heap[0] < found[0]):
                found = heap
        return found

    def _live(self, entry: _Entry) -> bool:
        offer = self.offers.get(entry[2])
        return offer is not None and offer.number == entry[1]
