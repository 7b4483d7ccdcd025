"""Give ready steps to slots: the half of the scheduler that sends.

Pure. While a guest runs, its next segment or its end is a moment away (an executor makes a
segment in a fraction of a second), so its segments wait for that before they would be given
cores that more of them could have used.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from farm.course import Course
from farm.instructions import Send
from farm.lengths import Lengths
from farm.line import Key
from farm.near import near
from farm.offers import Rank
from farm.placement import Floor, Seat, size
from farm.pool import Pool
from farm.session import Slot, StepState
from farm.step_limit import StepLimits
from farm.width import one_after_another
from farm.wire import StepMessage

#: Seconds that a step fits in no slot before its session fails: one may just be starting again.
PATIENCE = 30.0
#: What an execution counts in the shares of the slots that execute.
EXECUTION = 1.0

Pick = tuple[Key, Seat]


class Limits(NamedTuple):
    """What the operator allows; `tenants` are the weights of those that do not weigh 1."""

    attempts: int
    step_seconds: float
    bytes_in_flight: int
    tenants: Mapping[str, float] = MappingProxyType({})
    #: Most jobs of a guest that takes a list that share an execution, and seconds that they wait.
    batch_size: int = 64
    batch_wait: float = 1.0


class Assigner:
    """Sessions that run, their ready steps, and the slots."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.courses: dict[str, Course] = {}
        self.floor = Floor(self._came_back)
        self.proving, self.executing = Pool(limits.tenants), Pool(limits.tenants)
        self._lengths = Lengths()
        self.step_limits = StepLimits(limits.step_seconds)
        #: Since when there are steps that no slot holds.
        self._misfits: dict[Key, float] = {}

    def assign(self) -> list[Send]:
        """Return what to send now."""
        return [*self._executions(), *self._proofs(), *self._aheads()]

    def misfits(self) -> list[Key]:
        """Return the steps on segments too large for any slot, once that is for sure."""
        largest, now = self.floor.largest, self.floor.now
        found = self.proving.over(largest) if largest else []
        self._misfits = {key: self._misfits.get(key, now) for key in found}
        return [key for key, since in self._misfits.items() if now - since >= PATIENCE]

    def _executions(self) -> list[Send]:
        if not len(self.executing):
            return []
        lanes, kept = self.floor.lanes(), self.floor.lanes_kept()
        given = self._sends(self._draw(self.executing, lanes[: max(0, len(lanes) - kept)]))
        last = lanes[-kept:] if kept else []
        return given + self._sends(self._draw(self.executing, last, few=kept))

    def _proofs(self) -> list[Send]:
        ready = len(self.proving)
        free = self.floor.free() if ready else []
        if ready > len(free):
            return self._sends(self._draw(self.proving, [Seat(slot.name) for slot in free]))
        # What the widest share cannot take, a slot elsewhere may.
        alone = [Seat(slot.name) for slot in free]
        picks = self._side_by_side(ready, len(free))
        return self._sends(picks or self._draw(self.proving, alone, wait=ready < len(free)))

    def _side_by_side(self, ready: int, free: int) -> list[Pick]:
        """Return what goes where when every ready step gets a slot, or several."""
        if not ready:
            return []
        demand = ready + self._coming()
        picks = self._draw(self.proving, _seats(self.floor.shares(demand)), wait=ready < free)
        if demand == len(picks):
            costs = [self._cost(key) for key, _ in picks]
            shares = [[self.floor.slots[name] for name in (s.slot, *s.lent)] for _, s in picks]
            if one_after_another(costs, shares):
                first = picks[costs.index(max(costs))][0]
                picks = [(first, seat) for seat in _seats(self.floor.shares(1))]
        return picks

    def _aheads(self) -> list[Send]:
        folds = self.proving.between(Rank.RESOLVE, Rank.PROVE)
        soon = self._sends(self._draw(self.proving, self.floor.soon(folds), folds=True))
        return soon + self._sends(self._draw(self.proving, self.floor.rows(len(self.proving))))

    def _draw(
        self,
        pool: Pool,
        seats: Sequence[Seat],
        *,
        wait: bool = False,
        folds: bool = False,
        few: int | None = None,
    ) -> list[Pick]:
        """Return the steps for these seats.

        `wait`: none whose guest may bring more at once. `folds`: none but what goes before proofs.
        `few`: none of tenants that have so many under way.
        """
        if not seats or not len(pool):
            return []
        slots = [self.floor.slots[seat.slot] for seat in seats]

        def unfit(key: Key, at: int) -> bool:
            if folds and pool.rank(key) >= Rank.PROVE:
                return True
            # Where there are no cores to lend, there is nothing to wait for.
            waits = wait and bool(slots[at].cores) and self.courses[key[0]].brings_more
            feature = "groth16" if _kind(key) == "wrap" else ""
            lacking = feature not in ("", *slots[at].features)
            return waits or lacking or self.floor.unfit(key, slots[at], pool.size(key), feature)

        def closed(tenant: str) -> bool:
            return (full and self._held_back(tenant)) or (
                few is not None and pool.flying(tenant) >= few
            )

        full = pool is self.executing and self._full
        sizes = [0 if folds else size(slot) for slot in slots]
        keys = pool.draw(sizes, unfit, self._seconds, closed)
        return [(key, seat) for key, seat in zip(keys, seats, strict=True) if key]

    def _coming(self) -> int:
        """Return how many executions have still to give their first segment."""
        under_way = sum(
            not self.courses[session].segments
            for (session, step), _ in self.floor.seated()
            if step == "execute"
        )
        return under_way if self._full or not under_way else under_way + len(self.executing)

    def _held_back(self, tenant: str) -> bool:
        # What one tenant has filled up is not the others' fault.
        return self.proving.crowds(tenant, self.limits.bytes_in_flight)

    @property
    def _full(self) -> bool:
        return self.proving.bytes >= self.limits.bytes_in_flight

    def _cost(self, key: Key) -> int:
        return self.courses[key[0]].cost(key[1])

    def _seconds(self, key: Key) -> float:
        kind = _kind(key)
        return EXECUTION if kind == "execute" else self._lengths.guess(kind, self._cost(key))

    def _came_back(self, key: Key, seat: Seat, seconds: float) -> None:
        if key[1] == "execute":
            self.executing.back(key)
            return
        self.proving.back(key, seconds * _width(seat))
        course = self.courses.get(key[0])
        if course and key[1] in course.verifying and seconds and not seat.lent:
            self._lengths.learn(_kind(key), course.cost(key[1]), seconds)
            if slot := self.floor.slots.get(seat.slot):
                self.step_limits.learn(slot, _kind(key), course.cost(key[1]), seconds)

    def _sends(self, picks: list[Pick]) -> list[Send]:
        taken = [(key, seat) for key, seat in picks if self.courses[key[0]].take(key[1])]
        made = [self._makers(key) for key, _ in taken]
        moved = near([seat for _, seat in taken], made, self.floor.slots)
        return [self._send(key, seat) for (key, _), seat in zip(taken, moved, strict=True)]

    def _makers(self, key: Key) -> list[str] | None:
        if self.floor.shunned(key) or _kind(key) == "wrap":
            return None
        course = self.courses[key[0]]
        return [course.made[ref] for ref in course.inputs(key[1]) if ref in course.made]

    def _send(self, key: Key, seat: Seat) -> Send:
        course, step = self.courses[key[0]], key[1]
        course.attempts[step] = course.attempts.get(step, 0) + 1
        self._sit(key, seat)
        cores = self.floor.cores(seat)
        message = StepMessage(
            session=course.name,
            job=course.job,
            step=step,
            kind=_kind(key),
            attempt=course.attempts[step],
            slot=seat.slot,
            width=max(_width(seat), len(cores)) if step != "execute" else 1,
            inputs=course.inputs(step),
            args=self._args(course, step, cores),
            limit_s=self._limit(key, seat),
        )
        record = StepState(
            state="SENT",
            attempt=message.attempt,
            tries=course.tries.get(step, 0),
            slot=seat.slot,
            width=message.width,
            lent=",".join(seat.lent),
            ahead=seat.ahead,
        )
        return Send(message, record)

    def _limit(self, key: Key, seat: Seat) -> float:
        if key[1] == "execute":
            return self.limits.step_seconds
        slot, tries = self.floor.slots[seat.slot], self.courses[key[0]].tries.get(key[1], 0)
        return self.step_limits.limit(slot, _kind(key), self._cost(key), tries)

    def _sit(self, key: Key, seat: Seat) -> None:
        tenant, cost = self.courses[key[0]].spec.namespace, self._seconds(key) * _width(seat)
        if key[1] == "execute":
            self.executing.sent(key, tenant, cost)
            self.floor.sit(key, seat)
            return
        self.proving.sent(key, tenant, cost)
        self.floor.sit(key, seat, self._lengths.known(_kind(key), self._cost(key)))

    def _args(self, course: Course, step: str, cores: list[int]) -> dict[str, object]:
        known = course.arguments(step)
        return known if step == "execute" else known | {"cores": cores}


def _seats(shares: Sequence[Sequence[Slot]]) -> list[Seat]:
    return [Seat(share[0].name, tuple(slot.name for slot in share[1:])) for share in shares]


def _width(seat: Seat) -> int:
    return 1 + len(seat.lent)


def _kind(key: Key) -> str:
    return key[1].partition(":")[0]
