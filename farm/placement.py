"""Decide which ready step goes to which slot, and how many cores it gets.

Pure. Cores that would idle once every ready step has a slot are lent: the step is as wide as
the slots it takes together, on one machine, until it ends. A slot gets a second message, a
look-ahead, only when there is work for another full round of all slots.
"""

import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from farm.session import Slot

#: What orders ready steps: minus priority, rank of the kind, age of the job, first segment.
Order = tuple[int, int, int, int]
#: A step of a session.
Key = tuple[str, str]

#: The part of a step that no second core makes faster. A guess until times are recorded.
SERIAL = 0.02


class Pool:
    """Steps that are ready, the most urgent first."""

    def __init__(self) -> None:
        #: Bytes of segments that wait to be proved.
        self.bytes = 0
        self._order: dict[Key, Order] = {}
        self._bytes: dict[Key, int] = {}
        self._heap: list[tuple[Order, Key]] = []

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, key: Key) -> bool:
        return key in self._order

    def offer(self, key: Key, order: Order, length: int = 0) -> None:
        """Add a step that works on `length` bytes, or give it another place."""
        if key not in self._order:
            self._bytes[key] = length
            self.bytes += length
        if self._order.get(key) != order:
            self._order[key] = order
            heapq.heappush(self._heap, (order, key))

    def withdraw(self, key: Key) -> None:
        """Take a step out, if it is in."""
        if self._order.pop(key, None):
            self.bytes -= self._bytes.pop(key)

    def first(self, most: int) -> list[Key]:
        """Return up to `most` steps without taking them out, the most urgent first."""
        found: list[tuple[Order, Key]] = []
        seen: set[Key] = set()
        while self._heap and len(found) < most:
            order, key = heapq.heappop(self._heap)
            # What was withdrawn or moved is still in the heap at its old place.
            if self._order.get(key) == order and key not in seen:
                found.append((order, key))
                seen.add(key)
        for entry in found:
            heapq.heappush(self._heap, entry)
        return [key for _, key in found]


class Seat(NamedTuple):
    """Where a step runs: its slot, the slots whose cores it has on loan."""

    slot: str
    lent: tuple[str, ...] = ()
    ahead: bool = False


class Floor:
    """The slots that are up, and what each works on."""

    def __init__(self) -> None:
        self.slots: dict[str, Slot] = {}
        #: How often work came to nothing in a slot; the others are asked first.
        self.strikes: Counter[str] = Counter()
        #: What the ledger has of steps whose slot is about to be lost.
        self.states: dict[Key, str] = {}
        self._seats: dict[Key, Seat] = {}
        self._work: dict[str, list[Key]] = {}
        self._borrower: dict[str, Key] = {}

    def up(self, slot: Slot) -> list[Key]:
        """Add a slot; return the steps that an earlier incarnation of it has lost."""
        lost = self.replaced(slot)
        self.slots[slot.name] = slot
        return lost

    def replaced(self, slot: Slot) -> list[Key]:
        """Return the steps that another incarnation of a slot has, none if it is the same."""
        before = self.slots.get(slot.name)
        if before is None or before.incarnation == slot.incarnation:
            return []
        return self.work(slot.name)

    def gone(self, name: str) -> list[Key]:
        """Remove a slot; return the steps it has lost."""
        self.slots.pop(name, None)
        return self.work(name)

    def work(self, name: str) -> list[Key]:
        """Return the steps that were sent to a slot and have not come back."""
        return list(self._work.get(name, ()))

    def fade(self, name: str) -> None:
        """Forgive a slot half of its strikes: it has done something well."""
        self.strikes[name] //= 2

    def sit(self, key: Key, seat: Seat) -> None:
        """Note that a step was sent."""
        self._seats[key] = seat
        self._work.setdefault(seat.slot, []).append(key)
        for name in seat.lent:
            self._borrower[name] = key

    def leave(self, key: Key) -> Seat | None:
        """Note that a step has ended; return where it was."""
        self.states.pop(key, None)
        seat = self._seats.pop(key, None)
        if seat:
            self._work[seat.slot].remove(key)
            for name in seat.lent:
                if self._borrower.get(name) == key:
                    del self._borrower[name]
        return seat

    def seat(self, key: Key) -> Seat | None:
        """Return where a step is, None once it came back."""
        return self._seats.get(key)

    def waits(self, key: Key) -> bool:
        """Return whether a step is behind another one in its slot: a look-ahead."""
        seat = self._seats.get(key)
        return seat is not None and self._work[seat.slot][0] != key

    def seated(self) -> Iterable[tuple[Key, Seat]]:
        """Return what was sent and has not come back."""
        return self._seats.items()

    def cores(self, seat: Seat) -> list[int]:
        """Return the cores a step may use there."""
        names = [name for name in (seat.slot, *seat.lent) if name in self.slots]
        return sorted({core for name in names for core in self.slots[name].cores})

    def free(self) -> list[Slot]:
        """Return the proving slots that do nothing and whose cores are not lent."""
        found = [slot for slot in self._proving() if not self._busy(slot.name)]
        return sorted(found, key=lambda slot: (self.strikes[slot.name], slot.name))

    def shares(self, demand: int) -> list[list[Slot]]:
        """Return the free slots in shares, one for each of up to `demand` steps.

        The slots of a share are on one machine; the first of them is the one to send to.
        """
        machines: dict[str, list[Slot]] = {}
        for slot in self.free():
            # A slot without cores (a GPU) has none to lend, and no use for those of others.
            machines.setdefault(slot.machine if slot.cores else slot.name, []).append(slot)
        steps = dict.fromkeys(machines, 0)
        for _ in range(min(demand, sum(map(len, machines.values())))):
            widest = max(steps, key=lambda name: len(machines[name]) / (steps[name] + 1))
            steps[widest] += 1
        shares = [
            machines[name][start::count] for name, count in steps.items() for start in range(count)
        ]
        return sorted(shares, key=len, reverse=True)

    def rows(self, ready: int) -> list[Seat]:
        """Return seats for look-aheads, if so many ready steps make another full round."""
        proving = self._proving()
        if not proving or ready < len(proving) or self.free():
            return []
        return [Seat(slot.name, ahead=True) for slot in proving if self._narrow(slot.name)]

    def lanes(self) -> list[Seat]:
        """Return a seat for each execution that could start, the best and least busy first."""
        found = [
            (self.strikes[slot.name], number, slot.name)
            for slot in self.slots.values()
            if slot.kind == "execute"
            for number in range(len(self._work.get(slot.name, ())), slot.lanes)
        ]
        return [Seat(name) for _, _, name in sorted(found)]

    def _proving(self) -> list[Slot]:
        return [slot for slot in self.slots.values() if slot.kind == "risc0"]

    def _narrow(self, name: str) -> bool:
        """Return whether the slot does one step, alone, on its own cores."""
        work = self._work.get(name, [])
        return len(work) == 1 and name not in self._borrower and not self._seats[work[0]].lent

    def _busy(self, name: str) -> bool:
        return bool(self._work.get(name)) or name in self._borrower


def one_after_another(costs: Sequence[int], shares: Sequence[Sequence[Slot]]) -> bool:
    """Return whether the steps end sooner one after another, each on all cores.

    Side by side they leave cores idle when one is much shorter than the other.
    """
    if len(costs) < 2 or len({slot.machine for share in shares for slot in share}) > 1:
        return False
    widths = [len(share) for share in shares]
    beside = max(cost * _time(width) for cost, width in zip(costs, widths, strict=True))
    return sum(costs) * _time(sum(widths)) < beside


def _time(width: int) -> float:
    return SERIAL + (1 - SERIAL) / width
