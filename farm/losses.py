"""Notice what is lost with a slot, or with an attempt that moves no more, and have it done again.

Pure.
"""

from farm import events as e
from farm.batching import Batching
from farm.errors import WorkerLost
from farm.line import Key

#: What a step's record says once a worker is done with it.
SETTLED = frozenset({"REPORTED", "FAILED", "DONE"})


class Losses(Batching):
    """What slots take with them."""

    def slot_seen(self, event: e.SlotSeen) -> None:
        """Add a slot; as another process, it has lost what the one before had."""
        self._lost(event.slot.name, self.floor.up(event.slot))

    def slot_gone(self, event: e.SlotGone) -> None:
        """Remove a slot with what it had."""
        self._lost(event.slot, self.floor.gone(event.slot))
        self.step_limits.forget(event.slot)

    def losing(self, event: e.SlotSeen | e.SlotGone) -> list[Key]:
        """Return the steps that this event loses; `floor.states` should know of each."""
        if isinstance(event, e.SlotGone):
            return self.floor.work(event.slot)
        return self.floor.replaced(event.slot)

    def step_lost(self, event: e.StepLost) -> None:
        """Let an attempt be over that moves no more."""
        key = (event.session, event.step)
        course = self.courses.get(event.session)
        seat = self.floor.seat(key)
        if course and seat and course.attempts.get(event.step) == event.attempt:
            self.floor.strikes[seat.slot] += 1
            self.nothing(key, WorkerLost(event.step, seat.slot), tried=event.leased)

    def _lost(self, slot: str, keys: list[Key]) -> None:
        # All at once: a step that fails its session takes others out of their seats.
        waiting = [key for key in keys if self.floor.waits(key)]
        states = {key: self.floor.states.pop(key, "SENT") for key in keys}
        for key, state in states.items():
            course = self.courses.get(key[0])
            if course is None or key[1] in course.verifying:
                self.floor.leave(key)
            elif state not in SETTLED:  # what is settled is on its way here
                self.floor.strikes[slot] += 1
                # What waited behind another step, leased or not, has not been tried.
                tried = state == "LEASED" and key not in waiting
                self.nothing(key, WorkerLost(key[1], slot), tried=tried)
