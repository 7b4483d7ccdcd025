"""Give ready steps to slots: the half of the scheduler that sends.

Pure. While a guest runs, its next segment or its end is a moment away (an executor makes a
segment in a fraction of a second), so its segments wait for that before they would be given
cores that more of them could have used.
"""

from typing import NamedTuple

from farm.course import Course
from farm.events import Send
from farm.placement import Floor, Key, Pool, Seat, one_after_another
from farm.session import StepState
from farm.wire import StepMessage


class Limits(NamedTuple):
    """What the operator allows."""

    attempts: int
    step_seconds: float
    bytes_in_flight: int


class Assigner:
    """Sessions that run, their ready steps, and the slots."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.courses: dict[str, Course] = {}
        self.floor = Floor()
        self.proving, self.executing = Pool(), Pool()

    def assign(self) -> list[Send]:
        """Return what to send now."""
        return [*self._executions(), *self._proofs(), *self._aheads()]

    def _executions(self) -> list[Send]:
        if not len(self.executing) or self._full:
            return []
        seats = self.floor.lanes()
        return [
            self._send(key, seat)
            for key, seat in zip(self.executing.first(len(seats)), seats, strict=False)
        ]

    def _proofs(self) -> list[Send]:
        ready, free = len(self.proving), len(self.floor.free())
        if not ready or not free:
            return []
        steps = self.proving.first(free)
        if ready < free:
            steps = [key for key in steps if not self.courses[key[0]].executing]
        coming = self._coming()
        shares = self.floor.shares(ready + coming)[: len(steps)]
        if ready + coming == len(steps):
            costs = [self.courses[session].cost(step) for session, step in steps]
            if one_after_another(costs, shares):
                steps, shares = [steps[costs.index(max(costs))]], self.floor.shares(1)
        seats = [Seat(share[0].name, tuple(slot.name for slot in share[1:])) for share in shares]
        return [self._send(key, seat) for key, seat in zip(steps, seats, strict=True)]

    def _aheads(self) -> list[Send]:
        seats = self.floor.rows(len(self.proving))
        steps = self.proving.first(len(seats))
        return [self._send(key, seat) for key, seat in zip(steps, seats, strict=True)]

    def _coming(self) -> int:
        """Return how many executions have still to give their first segment."""
        under_way = sum(
            not self.courses[session].segments
            for (session, step), _ in self.floor.seated()
            if step == "execute"
        )
        return under_way if self._full or not under_way else under_way + len(self.executing)

    @property
    def _full(self) -> bool:
        return self.proving.bytes >= self.limits.bytes_in_flight

    def _send(self, key: Key, seat: Seat) -> Send:
        course, step = self.courses[key[0]], key[1]
        course.take(step)
        course.attempts[step] = course.attempts.get(step, 0) + 1
        self.floor.sit(key, seat)
        width = 1 + len(seat.lent)
        message = StepMessage(
            session=course.name,
            job=course.job,
            step=step,
            kind=step.partition(":")[0],
            attempt=course.attempts[step],
            slot=seat.slot,
            width=max(width, len(self.floor.cores(seat))) if step != "execute" else 1,
            inputs=course.inputs(step),
            args=self._args(course, step, seat),
            limit_s=self.limits.step_seconds,
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

    def _args(self, course: Course, step: str, seat: Seat) -> dict[str, object]:
        if step != "execute":
            return {"claim": course.claim(step).digest(), "cores": self.floor.cores(seat)}
        spec = course.spec
        limits = {"cycle_limit": spec.cycle_limit, "input_limit": spec.input_limit}
        return {"po2": spec.po2, "image_id": spec.image_id, **limits}
