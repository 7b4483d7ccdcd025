"""Decide what to do next: events in, instructions out.

Pure: no Redis, no Celery, no clock. The ledger is the truth; what is remembered here can be
made again from it at any time (`SessionSeen`, `SlotSeen`), and whatever an event says that does
not fit what is remembered is ignored: the next comparison with the ledger settles it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from farm import events as e
from farm.assign import Assigner, Limits
from farm.course import Course
from farm.ends import outcome, stats
from farm.errors import (
    BlobMissing,
    FarmError,
    JobTimedOut,
    Transient,
    VerificationFailed,
    WorkerLost,
)
from farm.job import State
from farm.placement import Key, Seat
from farm.session import StepState, job_key


class Scheduler(Assigner):
    """All sessions that run, all slots that are up."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._restored = False
        self._out: list[e.Instruction] = []

    def handle(self, event: e.Event) -> list[e.Instruction]:
        """Return what is to be done because of `event`, in order.

        Nothing is sent before `Restored`, for a slot may be taken by a session not seen yet.
        """
        self._out = []
        _HANDLERS[type(event)](self, event)
        for send in self.assign() if self._restored else []:
            self._out.append(send)
            if send.message.step == "execute":
                self._tell(self.courses[send.message.session])
        return self._out

    def _restore(self, event: e.Restored) -> None:
        self._restored = True

    def under_way(self) -> dict[Key, int]:
        """Return the attempts that workers should be renewing, or about to lease."""
        return {
            (session, step): course.attempts[step]
            for (session, step), _ in self.floor.seated()
            if step not in (course := self.courses[session]).verifying
        }

    # Slots.

    def _slot_seen(self, event: e.SlotSeen) -> None:
        self._lost(event.slot.name, self.floor.up(event.slot))

    def _slot_gone(self, event: e.SlotGone) -> None:
        self._lost(event.slot, self.floor.gone(event.slot))

    def _lost(self, slot: str, keys: list[Key]) -> None:
        waiting = [key for key in keys if self.floor.waits(key)]
        for key in keys:
            if key[1] in self.courses[key[0]].verifying:
                self.floor.leave(key)
            else:
                # What waited behind another step has not been tried.
                self._nothing(key, WorkerLost(key[1], slot), tried=key not in waiting)

    def _step_lost(self, event: e.StepLost) -> None:
        key = (event.session, event.step)
        course = self.courses.get(event.session)
        seat = self.floor.seat(key)
        if course and seat and course.attempts.get(event.step) == event.attempt:
            self._nothing(key, WorkerLost(event.step, seat.slot), tried=event.leased)

    # Sessions and who waits for them.

    def _session_seen(self, event: e.SessionSeen) -> None:
        facts = event.facts
        course = self.courses.get(facts.name)
        if course is None:
            course = Course(facts, self.proving, self.executing)
            self.courses[facts.name] = course
        else:
            course.merge(facts)
        # A look-ahead is seated behind what it waited for.
        for step, record in sorted(facts.steps.items(), key=lambda pair: pair[1].ahead):
            if record.attempt > course.attempts.get(step, 0):
                self._adopt(course, step, record)
            self._step_reported(e.StepReported(facts.name, step, record))
        self._settle(course)

    def _adopt(self, course: Course, step: str, record: StepState) -> None:
        course.attempts[step], course.tries[step] = record.attempt, record.tries
        if record.state in ("DONE", "GONE") or not course.take(step):
            return
        if record.state in ("SENT", "LEASED"):
            lent = tuple(filter(None, record.lent.split(",")))
            self.floor.sit((course.name, step), Seat(record.slot, lent))
            slot = self.floor.slots.get(record.slot)
            # A message still reaches the next incarnation; a lease was held by its process.
            if not slot or (record.state, record.incarnation) not in (
                ("SENT", ""),
                ("LEASED", slot.incarnation),
            ):
                leased = record.state == "LEASED"
                self._step_lost(e.StepLost(course.name, step, record.attempt, leased))

    def _session_gone(self, event: e.SessionGone) -> None:
        if course := self.courses.get(event.session):
            self._forget(course)

    def _job_joined(self, event: e.JobJoined) -> None:
        course = self.courses.get(event.session)
        if course:
            course.waiters[event.job.id] = event.job
            course.offer()
            self._tell(course)

    def _job_left(self, event: e.JobLeft) -> None:
        course = self.courses.get(event.session)
        if course and course.waiters.pop(event.job, None):
            if course.waiters:
                course.offer()
            else:
                self._forget(course)

    def _deadline_passed(self, event: e.DeadlinePassed) -> None:
        course = self.courses.get(event.session)
        if course and event.job in course.waiters:
            error = JobTimedOut(event.job, course.progress()["text"])
            key = job_key(course.spec)
            self._out.append(e.Finish(event.job, course.name, key, State.TIMED_OUT, error))
            self._job_left(e.JobLeft(event.session, event.job))

    def _orphaned(self, event: e.Orphaned) -> None:
        self._out.append(outcome(event.job, event.end))

    # What comes of steps.

    def _segment_found(self, event: e.SegmentFound) -> None:
        course = self.courses.get(event.session)
        if course:
            course.add_segment(event.index, event.record)
            self._tell(course)

    def _executed(self, event: e.Executed) -> None:
        course = self.courses.get(event.session)
        if course:
            self.floor.leave((course.name, "execute"))
            course.end(event.record)
            self._settle(course)
            self._tell(course)

    def _step_reported(self, event: e.StepReported) -> None:
        course, step, record = self.courses.get(event.session), event.step, event.record
        if not course or step not in course.flying or step in course.verifying:
            return
        if course.attempts[step] != record.attempt:
            return
        if record.state == "REPORTED":
            # The slot is kept a moment more: what this output makes ready may be more urgent
            # than what is ready now.
            course.verifying[step] = record.slot
            claim = course.claim(step).digest()
            self._out.append(e.Verify(course.name, step, record.attempt, record.ref, claim))
        elif record.state == "FAILED":
            facts = msgspec.json.decode(record.facts)
            self._nothing((course.name, step), FarmError.named(record.code, facts))
        elif record.state == "DONE" and step == "execute" and course.executed:
            self._executed(e.Executed(course.name, course.executed))

    def _verified(self, event: e.Verified) -> None:
        course = self.courses.get(event.session)
        if course and self._awaited(course, event.step, event.attempt):
            self._out.append(e.Bind(course.name, event.step, event.attempt, event.ref))
            self.floor.leave((course.name, event.step))
            course.bound(event.step, event.ref)
            self._settle(course)
            self._tell(course)

    def _refused(self, event: e.Refused) -> None:
        course = self.courses.get(event.session)
        if course and self._awaited(course, event.step, event.attempt):
            slot = course.verifying[event.step]
            refused = isinstance(event.error, VerificationFailed)
            if refused:
                self.floor.strikes[slot] += 1
                self._out.append(e.Strike(slot, event.error))
            self._nothing((course.name, event.step), event.error, again=refused)

    def _awaited(self, course: Course, step: str, attempt: int) -> bool:
        return step in course.verifying and course.attempts[step] == attempt

    def _nothing(
        self, key: Key, error: FarmError, *, tried: bool = True, again: bool = False
    ) -> None:
        """Let an attempt have come to nothing: the step is ready again, or the session fails."""
        self.floor.leave(key)
        course, step = self.courses.get(key[0]), key[1]
        if not course:
            return
        course.tries[step] = course.tries.get(step, 0) + tried
        if not (again or isinstance(error, Transient)) or self._spent(course, step):
            self._fail(course, error)
            return
        course.drop(step)
        if isinstance(error, BlobMissing):
            self._remake(course, str(error.facts[0]))

    def _spent(self, course: Course, step: str) -> bool:
        return course.tries[step] >= self.limits.attempts

    def _remake(self, course: Course, ref: str) -> None:
        if step := course.unbind(ref):
            self._out.append(e.Unbind(course.name, step))
        else:
            course.missing(ref)
        course.offer()

    # Ends.

    def _settle(self, course: Course) -> None:
        if course.root and course.executed and not course.finalizing:
            course.finalizing = True
            journal = course.executed.journal
            image = course.spec.image_id
            self._out.append(e.Finalize(course.name, image, course.root, journal))

    def _finalized(self, event: e.Finalized) -> None:
        course = self.courses.get(event.session)
        if not course or not course.finalizing or not course.executed:
            return
        if event.error is None:
            kept = {"receipt": event.receipt, "journal": course.executed.journal}
            self._close(course, State.SUCCEEDED, **kept, stats=stats(course, course.executed))
            return
        course.finalizing = False
        course.tries["finalize"] = course.tries.get("finalize", 0) + 1
        if not isinstance(event.error, Transient) or self._spent(course, "finalize"):
            self._fail(course, event.error)
            return
        if isinstance(event.error, BlobMissing):
            self._remake(course, str(event.error.facts[0]))
        self._settle(course)

    def _fail(self, course: Course, error: FarmError) -> None:
        self._close(course, State.FAILED, error=error)

    def _close(self, course: Course, state: State, **how: Any) -> None:
        end = e.Close(course.name, job_key(course.spec), state, **how)
        self._out.append(end)
        self._out += [outcome(job, end) for job in course.waiters.values()]
        self._forget(course)

    def _forget(self, course: Course) -> None:
        course.withdraw()
        for step in course.flying:
            self.floor.leave((course.name, step))
        del self.courses[course.name]

    def _tell(self, course: Course) -> None:
        self._out.append(e.Progress(tuple(course.waiters), course.progress()))


_HANDLERS: dict[type[e.Event], Callable[[Scheduler, Any], None]] = {
    e.Restored: Scheduler._restore,
    e.SlotSeen: Scheduler._slot_seen,
    e.SlotGone: Scheduler._slot_gone,
    e.StepLost: Scheduler._step_lost,
    e.SessionSeen: Scheduler._session_seen,
    e.SessionGone: Scheduler._session_gone,
    e.JobJoined: Scheduler._job_joined,
    e.JobLeft: Scheduler._job_left,
    e.DeadlinePassed: Scheduler._deadline_passed,
    e.Orphaned: Scheduler._orphaned,
    e.SegmentFound: Scheduler._segment_found,
    e.Executed: Scheduler._executed,
    e.StepReported: Scheduler._step_reported,
    e.Verified: Scheduler._verified,
    e.Refused: Scheduler._refused,
    e.Finalized: Scheduler._finalized,
}
