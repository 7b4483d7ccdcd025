"""Decide which ready step is next, of those of all tenants: fair shares by weight.

Pure. The next step is of the tenant that has used least: slot time of all that was sent for it, by
its weight, guessed while a step is under way and measured once it is back. (What runs at one
moment alone would say nothing on a farm of one slot.) A tenant that had nothing to send begins
where the one served last is, without what runs: nothing is saved up over idleness, and it
catches up with what the others have running. Ties go to who was not served for longest.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count

from farm.line import Key, Line, Offer, Order, rank_of

#: The size (2^n) that any segment is below: of a slot that is not bounded by memory.
ANY = 99
#: Turns of a tenant between two looks at who has come to nothing more: a guess, rarely.
SWEPT = 1000

_Turn = tuple[float, int, Line]
Unfit = Callable[[Key, int], bool]


class Pool:
    """Steps that are ready; `weights` of the tenants that do not weigh 1."""

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        #: Bytes of segments that wait to be proved.
        self.bytes = 0
        self._weights = weights or {}
        self._lines: dict[str, Line] = {}
        self._ready: dict[Key, Line] = {}
        self._running: dict[Key, tuple[Line, float]] = {}
        #: What the tenant that was served last had done by then.
        self._level = 0.0
        self._numbers = count()
        #: How many ready steps there are of each size, and of each rank.
        self._sizes: Counter[int] = Counter()
        self._ranks: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._ready)

    def __contains__(self, key: Key) -> bool:
        return key in self._ready

    def offer(
        self, key: Key, order: Order, length: int = 0, *, tenant: str = "", po2: int = 0
    ) -> None:
        """Add a step that works on `length` bytes, or give it another place.

        It needs a slot for segments of 2^`po2`.
        """
        line = self._ready.get(key)
        if line is None:
            self.bytes += length
            self._sizes[po2] += 1
            line = self._ready[key] = self._line(tenant)
            line.bytes += length
            if not line.offers:
                line.used = max(line.used, self._level + line.running / line.weight)
        elif (before := line.offers[key]).order == order:
            return
        else:
            length = before.length
            self._ranks[rank_of(before.order)] -= 1
        self._ranks[rank_of(order)] += 1
        line.offer(key, Offer(next(self._numbers), order, po2, length))

    def withdraw(self, key: Key) -> None:
        """Take a step out, if it is in."""
        if line := self._ready.pop(key, None):
            offer = line.offers.pop(key)
            self.bytes -= offer.length
            line.bytes -= offer.length
            self._sizes[offer.po2] -= 1
            self._ranks[rank_of(offer.order)] -= 1
            self._tidy(line)

    def size(self, key: Key) -> int:
        """Return the size (2^n) of the segment that a ready step works on."""
        return self._ready[key].offers[key].po2

    def rank(self, key: Key) -> int:
        """Return the rank of a ready step."""
        return rank_of(self._ready[key].offers[key].order)

    def between(self, first: int, end: int) -> int:
        """Return how many ready steps are of these ranks, the last one not among them."""
        return sum(number for rank, number in self._ranks.items() if first <= rank < end)

    def flying(self, tenant: str) -> int:
        """Return how many steps of a tenant are under way."""
        return self._lines[tenant].flying if tenant in self._lines else 0

    def crowds(self, tenant: str, room: int) -> bool:
        """Return whether a tenant's steps hold its share of so many bytes, or more."""
        lines = {line.name: line.weight for line in self._lines.values() if line.bytes}
        own = self._weights.get(tenant, 1.0)
        share = room * own / sum((lines | {tenant: own}).values())
        return tenant in lines and self._lines[tenant].bytes >= share

    def draw(
        self,
        sizes: Sequence[int],
        unfit: Unfit,
        cost: Callable[[Key], float],
        closed: Callable[[str], bool] = lambda tenant: False,
    ) -> list[Key | None]:
        """Return a step for each of several slots, which hold 2^`sizes`, without taking it out.

        `unfit` tells whether a step may not go to the slot of that number, `cost` what slot time
        it will take, `closed` which tenants get nothing.
        """
        lines = [line for line in self._lines.values() if line.offers and not closed(line.name)]
        turns = [(line.used, line.since, line) for line in lines]
        heapq.heapify(turns)
        found = [
            self._next(turns, size, partial(_with, unfit, number), cost)
            for number, size in enumerate(sizes)
        ]
        for line in lines:
            line.put_back()
        return found

    def sent(self, key: Key, tenant: str, cost: float) -> None:
        """Note that a step was sent that will take so much slot time."""
        line = self._line(tenant)
        self._level = line.done
        line.used += cost / line.weight
        line.running += cost
        line.turns += 1
        line.flying += 1
        line.since = next(self._numbers)
        self._running[key] = (line, cost)
        if not line.turns % SWEPT:
            for one in list(self._lines.values()):
                self._tidy(one)

    def back(self, key: Key, took: float = 0.0) -> None:
        """Note that a step came back, and what slot time it took, if that is known."""
        if found := self._running.pop(key, None):
            line, cost = found
            line.flying -= 1
            line.running = line.running - cost if line.flying else 0.0
            line.used += (took - cost) / line.weight if took else 0.0
            self._tidy(line)

    def over(self, po2: int) -> list[Key]:
        """Return the ready steps that no slot for segments of 2^`po2` can hold."""
        if not any(number for size, number in self._sizes.items() if size > po2):
            return []
        return [key for key, line in self._ready.items() if line.offers[key].po2 > po2]

    def _next(
        self,
        turns: list[_Turn],
        size: int,
        unfit: Callable[[Key], bool],
        cost: Callable[[Key], float],
    ) -> Key | None:
        key, passed = None, []
        while turns and key is None:
            used, since, line = heapq.heappop(turns)
            if key := line.draw(size, unfit):
                used, since = used + cost(key) / line.weight, next(self._numbers)
            if line.left:
                passed.append((used, since, line))
        for turn in passed:
            heapq.heappush(turns, turn)
        return key

    def _line(self, tenant: str) -> Line:
        line = self._lines.get(tenant)
        if line is None:
            weight = self._weights.get(tenant, 1.0)
            line = self._lines[tenant] = Line(tenant, weight, next(self._numbers))
            line.used = self._level
        return line

    def _tidy(self, line: Line) -> None:
        # How far it is ahead of others is remembered as long as they are behind.
        if not line.offers and not line.flying and line.used <= self._level:
            self._lines.pop(line.name, None)


def _with(unfit: Unfit, number: int, key: Key) -> bool:
    return unfit(key, number)
