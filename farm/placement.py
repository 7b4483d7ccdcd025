"""Hold the slots: which are free, what each works on, which cores are lent.

Pure. Cores that would idle once every ready step has a slot are lent: the step is as wide as
the slots it takes together, on one machine, until it ends. A slot gets a second message, a
look-ahead, only when there is work for another full round of all slots, and as many of them as
last for the time between two messages. A fold does not wait for that: it goes where it begins
soonest.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

from farm.lengths import wants_more
from farm.line import Key
from farm.pool import ANY
from farm.session import Slot

#: Seconds from the decision to send a step until its slot can begin, and from the end of the one
#: before until that is heard of. A guess, rather too long: who comes late waits for a whole step.
TRIP = 0.15
#: Of so many lanes, one is kept from tenants that have their part of these already: executions of
#: long guests must not keep everybody out. A guess.
LANES_KEPT = 10


class Seat(NamedTuple):
    """Where a step runs: its slot, the slots whose cores it has on loan."""

    slot: str
    lent: tuple[str, ...] = ()
    ahead: bool = False


class Stay(NamedTuple):
    """A step in its slot: since when, and the seconds it may take, if that is known."""

    seat: Seat
    since: float
    seconds: float | None


class Floor:
    """The slots that are up, and what each works on; `left` is told how long each step took."""

    def __init__(self, left: Callable[[Key, Seat, float], object] = lambda *_: None) -> None:
        self._left = left
        #: The time, on the clock of who asks.
        self.now = 0.0
        self.slots: dict[str, Slot] = {}
        #: How often work came to nothing in a slot; the others are asked first.
        self.strikes: Counter[str] = Counter()
        #: The largest segment (2^n) that a proving slot has held: it may be back soon. 0 for none.
        self.largest = 0
        #: What the ledger has of steps whose slot is about to be lost.
        self.states: dict[Key, str] = {}
        self._kinds: dict[str, dict[str, Slot]] = {}
        self._stays: dict[Key, Stay] = {}
        self._work: dict[str, list[Key]] = {}
        self._borrower: dict[str, Key] = {}
        #: When a slot got rid of a step last.
        self._ended: dict[str, float] = {}
        #: The slots in which a step has come to nothing.
        self._shunned: dict[Key, set[str]] = {}
        #: Proving slots that do nothing, those with room for a look-ahead; what may have changed.
        self._idle: dict[str, None] = {}
        self._hungry: dict[str, None] = {}
        self._touched: dict[str, None] = {}

    def up(self, slot: Slot) -> list[Key]:
        """Add a slot; return the steps that an earlier incarnation of it has lost."""
        lost = self.replaced(slot)
        self._set(slot.name, slot)
        return lost

    def replaced(self, slot: Slot) -> list[Key]:
        """Return the steps that another incarnation of a slot has, none if it is the same."""
        before = self.slots.get(slot.name)
        if before is None or before.incarnation == slot.incarnation:
            return []
        return self.work(slot.name)

    def gone(self, name: str) -> list[Key]:
        """Remove a slot; return the steps it has lost."""
        self._set(name, None)
        return self.work(name)

    def work(self, name: str) -> list[Key]:
        """Return the steps that were sent to a slot and have not come back."""
        return list(self._work.get(name, ()))

    def fade(self, name: str) -> None:
        """Forgive a slot half of its strikes: it has done something well."""
        self.strikes[name] //= 2

    def sit(self, key: Key, seat: Seat, seconds: float | None = None) -> None:
        """Note that a step was sent, and what it may take."""
        self._stays[key] = Stay(seat, self.now, seconds)
        self._work.setdefault(seat.slot, []).append(key)
        for name in seat.lent:
            self._borrower[name] = key
        self._touch(seat.slot, *seat.lent)

    def leave(self, key: Key) -> Seat | None:
        """Note that a step has ended; return where it was."""
        self.states.pop(key, None)
        stay = self._stays.pop(key, None)
        if stay is None:
            return None
        seat, first = stay.seat, self._work[stay.seat.slot][0] == key
        self._work[seat.slot].remove(key)
        for name in seat.lent:
            if self._borrower.get(name) == key:
                del self._borrower[name]
        self._touch(seat.slot, *seat.lent)
        begun = max(stay.since, self._ended.get(seat.slot, 0.0))
        if first:
            self._ended[seat.slot] = self.now
        self._left(key, seat, self.now - begun if first else 0.0)
        return seat

    def seat(self, key: Key) -> Seat | None:
        """Return where a step is, None once it came back."""
        stay = self._stays.get(key)
        return stay.seat if stay else None

    def shun(self, key: Key, name: str) -> None:
        """Note that a step came to nothing in a slot: others are to try it first."""
        self._shunned.setdefault(key, set()).add(name)

    def shunned(self, key: Key) -> bool:
        """Return whether a step came to nothing in a slot."""
        return key in self._shunned

    def forgive(self, session: str) -> None:
        """Forget where the steps of a session came to nothing: it has ended."""
        for key in [key for key in self._shunned if key[0] == session]:
            del self._shunned[key]

    def unfit(self, key: Key, slot: Slot, po2: int, feature: str = "") -> bool:
        """Return whether another slot is to try a step first, be it busy now.

        The other one is of the same kind, holds segments of 2^`po2`, and has a host with `feature`.
        """
        shunned = self._shunned.get(key, ())
        return slot.name in shunned and any(
            other.kind == slot.kind and size(other) >= po2 and feature in ("", *other.features)
            for name, other in self.slots.items()
            if name not in shunned
        )

    def lacks(self, feature: str) -> bool:
        """Return whether slots that prove are up, and the host of none has a feature."""
        proving = self.proving()
        return bool(proving) and not any(feature in slot.features for slot in proving)

    def waits(self, key: Key) -> bool:
        """Return whether a step is behind another one in its slot: a look-ahead."""
        seat = self.seat(key)
        return seat is not None and self._work[seat.slot][0] != key

    def seated(self) -> Iterable[tuple[Key, Seat]]:
        """Return what was sent and has not come back."""
        return ((key, stay.seat) for key, stay in self._stays.items())

    def cores(self, seat: Seat) -> list[int]:
        """Return the cores a step may use there."""
        names = [name for name in (seat.slot, *seat.lent) if name in self.slots]
        return sorted({core for name in names for core in self.slots[name].cores})

    def free(self) -> list[Slot]:
        """Return the proving slots that do nothing and whose cores are not lent."""
        self._settle()
        found = [self.slots[name] for name in self._idle]
        # The smaller ones first: so the larger are left for what fits nowhere else.
        return sorted(found, key=lambda slot: (self.strikes[slot.name], size(slot), slot.name))

    def shares(self, demand: int) -> list[list[Slot]]:
        """Return the free slots in shares, one for each of up to `demand` steps.

        The slots of a share are on one machine; the first of them is the one to send to.
        """
        machines: dict[str, list[Slot]] = {}
        for slot in self.free():
            # A slot without cores (a GPU) has none to lend, and no use for those of others.
            machines.setdefault(slot.machine if slot.cores else slot.name, []).append(slot)
        steps = dict.fromkeys(machines, 0)
        wide = ((name, float(len(slots))) for name, slots in machines.items())
        widest = [(-width, at, name) for at, (name, width) in enumerate(wide)]
        heapq.heapify(widest)
        for _ in range(min(demand, sum(map(len, machines.values())))):
            _, at, name = widest[0]
            steps[name] += 1
            less = -len(machines[name]) / (steps[name] + 1)
            heapq.heapreplace(widest, (less, at, name))
        shares = [
            machines[name][start::count] for name, count in steps.items() for start in range(count)
        ]
        return sorted(shares, key=len, reverse=True)

    def rows(self, ready: int) -> list[Seat]:
        """Return seats for look-aheads, if so many ready steps make another full round."""
        self._settle()
        if ready < len(self._of("risc0")) or self._idle:
            return []
        return [Seat(name, ahead=True) for name in self._hungry]

    def soon(self, folds: int) -> list[Seat]:
        """Return seats for up to so many folds, where each begins soonest though no slot is free.

        On a device it begins before what else waits there, so only the step at work is to end.
        """
        self._settle()
        if not folds or self._idle:
            return []
        room = [slot.name for slot in self.proving() if self._spare(slot)]
        return [Seat(name, ahead=True) for name in heapq.nsmallest(folds, room, self._end)]

    def lanes(self) -> list[Seat]:
        """Return a seat for each execution that could start, the best and least busy first."""
        found = [
            (self.strikes[slot.name], number, slot.name)
            for slot in self._of("execute").values()
            for number in range(len(self._work.get(slot.name, ())), slot.lanes)
        ]
        return [Seat(name) for _, _, name in sorted(found)]

    def lanes_kept(self) -> int:
        """Return how many of the lanes are for tenants that have few executions under way."""
        return sum(slot.lanes for slot in self._of("execute").values()) // LANES_KEPT

    def proving(self) -> list[Slot]:
        """Return the slots that prove and fold."""
        return list(self._of("risc0").values())

    def _of(self, kind: str) -> dict[str, Slot]:
        return self._kinds.setdefault(kind, {})

    def _set(self, name: str, slot: Slot | None) -> None:
        if before := self.slots.pop(name, None):
            del self._of(before.kind)[name]
        if slot:
            self.slots[name] = self._of(slot.kind)[name] = slot
        self.largest = max([self.largest, *map(size, self.proving())])
        self._touch(name)

    def _touch(self, *names: str) -> None:
        self._touched.update(dict.fromkeys(names))

    def _settle(self) -> None:
        """Bring up to date which slots are idle and hungry: at the cost of those that changed."""
        for name in self._touched:
            slot = self.slots.get(name)
            proving = slot is not None and slot.kind == "risc0"
            _keep(self._idle, name, proving and not self._busy(name))
            _keep(self._hungry, name, proving and self._wants(name))
        self._touched.clear()

    def _wants(self, name: str) -> bool:
        """Return whether a look-ahead is of use: the slot works alone, on its own cores."""
        work = self._work.get(name)
        if not work or name in self._borrower:
            return False
        first, *waiting = (self._stays[key] for key in work)
        alone = not first.seat.lent
        return alone and wants_more(first.seconds, [stay.seconds for stay in waiting])

    def _spare(self, slot: Slot) -> bool:
        """Return whether a host child of a slot with several has nothing to do.

        A fold behind a fold would keep the slot from those whose turn it is.
        """
        work = self._work.get(slot.name, [])
        proofs = all(step.startswith(("prove", "keccak")) for _, step in work)
        return 0 < len(work) < slot.lanes and proofs and self._stays[work[0]].seconds is not None

    def _end(self, name: str) -> tuple[bool, float]:
        """Return whether the step at work in a slot ends before a message gets there, and when."""
        stay = self._stays[self._work[name][0]]
        end = max(stay.since, self._ended.get(name, 0.0)) + (stay.seconds or 0.0)
        return end < self.now + TRIP, end

    def _busy(self, name: str) -> bool:
        return bool(self._work.get(name)) or name in self._borrower


def _keep(group: dict[str, None], name: str, inside: bool) -> None:
    if inside:
        group[name] = None
    else:
        group.pop(name, None)


def size(slot: Slot) -> int:
    """Return the largest segment (2^n) that a slot holds."""
    return slot.po2 or ANY
