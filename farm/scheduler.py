"""Decide what to do next: events in, instructions out.

Pure: no Redis, no Celery, no clock. The ledger is the truth; what is remembered here can be
made again from it at any time (`SessionSeen`, `SlotSeen`), and whatever an event says that does
not fit what is remembered is ignored: the next comparison with the ledger settles it.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from farm import events as e
from farm import instructions as do
from farm.assign import Limits
from farm.course import Course
from farm.ends import outcome
from farm.errors import (
    BlobMissing,
    FarmError,
    HostDied,
    HostMismatch,
    HostMissing,
    JobTimedOut,
    StepHung,
    StepTooLong,
    StoreFailed,
    Transient,
    VerificationFailed,
)
from farm.job import State
from farm.line import Key
from farm.losses import Losses
from farm.placement import Seat
from farm.progress import doing
from farm.session import Relied, StepState, job_key

#: What only says that a slot's own host is no good: another slot may have a better one ..
_HOSTLESS = (HostMissing, HostMismatch)
#: .. and all that may be a slot's fault: the others are asked first.
_FAULTS = (*_HOSTLESS, HostDied, StepHung, StepTooLong, BlobMissing, StoreFailed)


class Scheduler(Losses):
    """All sessions that run, all slots that are up."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._restored = False

    def handle(self, *events: e.Event) -> list[do.Instruction]:
        """Return what is to be done because of `events`, in order."""
        for event in events:
            self.hear(event)
        return [*self.decide(), *self.progress()]

    def hear(self, event: e.Event) -> None:
        """Note what has happened; `decide` says what is to be done because of it."""
        _HANDLERS[type(event)](self, event)
        self.spread()

    def decide(self) -> list[do.Instruction]:
        """Return what is to be done because of all that was heard since, in order.

        Nothing is sent before `Restored`, for a slot may be taken by a session not seen yet.
        """
        self.reject()
        self.spread()
        if self._restored:
            self.carry()
        for send in self.assign() if self._restored else []:
            self.out.append(send)
            if send.message.step == "execute":
                self.tell(self.courses[send.message.session])
        found, self.out = self.out, []
        return found

    def _restore(self, event: e.Restored) -> None:
        self._restored = True

    def under_way(self) -> dict[Key, int]:
        """Return the attempts that workers should be renewing, or about to lease."""
        return {
            (session, step): course.attempts[step]
            for (session, step), _ in self.floor.seated()
            if step not in (course := self.courses[session]).verifying
        }

    # Sessions and who waits for them.

    def _session_seen(self, event: e.SessionSeen) -> None:
        facts = event.facts
        course = self.courses.get(facts.name)
        if course is None:
            course = Course(facts, self.proving, self.executing)
            self.courses[facts.name] = course
            for job in course.given.awaited + course.members.awaited:
                self.relying.setdefault(job, set()).add(course.name)
            self.inspect(course)
            self.gather_in(course)
        else:
            course.merge(facts)
        if facts.executed and not course.executed:
            course.end(facts.executed)
        # A look-ahead is seated behind what it waited for.
        steps = sorted(facts.steps.items(), key=lambda pair: pair[1].ahead)
        new = [pair for pair in steps if pair[1].attempt > course.attempts.get(pair[0], 0)]
        for step, record in new:
            self._adopt(course, step, record)
        # Any of these may end the session, and what follows is ignored then.
        for step, record in new:
            self._lose_held(course, step, record)
        for step, record in steps:
            self._step_reported(e.StepReported(facts.name, step, record))
        self.settle(course)
        if course.name in self.courses:
            self.check(course)

    def _adopt(self, course: Course, step: str, record: StepState) -> None:
        """Remember a step that was sent by the scheduler before this one."""
        course.attempts[step], course.tries[step] = record.attempt, record.tries
        if step == "execute":  # what came of the attempts before is discarded
            course.execution = record.attempt + (record.state == "GONE")
        if record.state not in ("DONE", "GONE") and course.take(step):
            lent = tuple(filter(None, record.lent.split(",")))
            if record.state in ("SENT", "LEASED"):
                self.floor.sit((course.name, step), Seat(record.slot, lent))

    def _lose_held(self, course: Course, step: str, record: StepState) -> None:
        """Take a step for lost whose slot is gone, or another process by now."""
        slot, leased = self.floor.slots.get(record.slot), record.state == "LEASED"
        # A message still reaches the next incarnation; a lease was held by its process.
        if slot is None or (leased and slot.incarnation != record.incarnation):
            self.step_lost(e.StepLost(course.name, step, record.attempt, leased))

    def _session_gone(self, event: e.SessionGone) -> None:
        if course := self.courses.get(event.session):
            self.forget(course)

    def _job_joined(self, event: e.JobJoined) -> None:
        course = self.courses.get(event.session)
        if course:
            course.waiters[event.job.id] = event.job
            course.offer()
            self.tell(course)

    def _job_left(self, event: e.JobLeft) -> None:
        self.concluded.append((event.job, Relied(State.ABORTED)))
        course = self.courses.get(event.session)
        if course and course.waiters.pop(event.job, None):
            if course.waiters:
                course.offer()
            else:
                self.forget(course)

    def _deadline_passed(self, event: e.DeadlinePassed) -> None:
        course = self.courses.get(event.session)
        if course and event.job in course.waiters:
            error = JobTimedOut(event.job, doing(course))
            key = job_key(course.spec)
            self.conclude(do.Finish(event.job, course.name, key, State.TIMED_OUT, error))
            self._job_left(e.JobLeft(event.session, event.job))

    def _orphaned(self, event: e.Orphaned) -> None:
        self.conclude(outcome(event.job, event.end))

    # What comes of steps.

    def _segment_found(self, event: e.SegmentFound) -> None:
        course = self.courses.get(event.session)
        if course and event.attempt >= course.execution:
            course.add_segment(event.index, event.record)
            self.tell(course)

    def _keccak_found(self, event: e.KeccakFound) -> None:
        course = self.courses.get(event.session)
        if course and event.attempt >= course.execution:
            course.add_keccak(event.index, event.record)
            self.tell(course)

    def _executed(self, event: e.Executed) -> None:
        course = self.courses.get(event.session)
        if course and event.attempt >= course.execution:
            course.end(event.record)
            if course.attempts.get("execute") == event.attempt:
                if seat := self.floor.leave((course.name, "execute")):
                    self.floor.fade(seat.slot)
                course.drop("execute")
            self.settle(course)
            if course.name in self.courses:
                self.tell(course)

    def _step_reported(self, event: e.StepReported) -> None:
        course, step, record = self.courses.get(event.session), event.step, event.record
        if not course or step not in course.flying or step in course.verifying:
            return
        if course.attempts[step] != record.attempt:
            return
        if record.state == "REPORTED" and course.knows(step):
            # The slot is kept a moment more: what this output makes ready may be more urgent
            # than what is ready now.
            course.verifying[step] = record.slot
            what = (record.ref, course.claim(step), course.form(step))
            self.out.append(do.Verify(course.name, step, record.attempt, *what))
        elif record.state == "FAILED":
            error = FarmError.named(record.code, msgspec.json.decode(record.facts))
            self.floor.strikes[record.slot] += isinstance(error, _FAULTS)
            self.nothing((course.name, step), error, again=isinstance(error, _HOSTLESS))
        elif record.state == "DONE" and step == "execute" and course.executed:
            self._executed(e.Executed(course.name, record.attempt, course.executed))

    def _verified(self, event: e.Verified) -> None:
        course = self.courses.get(event.session)
        if course and self._awaited(course, event.step, event.attempt):
            self.out.append(do.Bind(course.name, event.step, event.attempt, event.ref))
            self.floor.leave((course.name, event.step))
            self.floor.fade(course.verifying[event.step])
            course.bound(event.step, event.ref)
            self.settle(course)
            self.tell(course)

    def _refused(self, event: e.Refused) -> None:
        course = self.courses.get(event.session)
        if course and self._awaited(course, event.step, event.attempt):
            slot = course.verifying[event.step]
            refused = isinstance(event.error, VerificationFailed)
            if refused:
                self.floor.strikes[slot] += 1
                self.out.append(do.Strike(slot, event.error))
            self.nothing((course.name, event.step), event.error, again=refused)

    def _finalized(self, event: e.Finalized) -> None:
        course = self.courses.get(event.session)
        if not course or not course.finalizing or not course.executed:
            return
        if event.error is None:
            kept = self.kept(course, course.executed, event.receipt)
            self.close(course, State.SUCCEEDED, **kept)
            return
        course.finalizing = False
        course.tries["finalize"] = course.tries.get("finalize", 0) + 1
        if not isinstance(event.error, Transient) or self.spent(course, "finalize"):
            self.fail(course, event.error)
            return
        if isinstance(event.error, BlobMissing) and event.error.facts:
            self.remake(course, str(event.error.facts[0]))
        self.settle(course)

    def _inspected(self, event: e.Inspected) -> None:
        if course := self.courses.get(event.session):
            course.judge(event.ref, event.shown)
            self.check(course)

    def _set_gathered(self, event: e.SetGathered) -> None:
        if course := self.courses.get(event.session):
            self.set_gathered(course, event.gathered)

    def _uncarried(self, event: e.Uncarried) -> None:
        self.uncarried(event.sessions, event.error)

    def _divided(self, event: e.Divided) -> None:
        if course := self.courses.get(event.session):
            self.divided(course, event.found)

    def _awaited(self, course: Course, step: str, attempt: int) -> bool:
        return step in course.verifying and course.attempts[step] == attempt


_HANDLERS: dict[type[e.Event], Callable[[Scheduler, Any], None]] = {
    e.Restored: Scheduler._restore,
    e.SlotSeen: Scheduler.slot_seen,
    e.SlotGone: Scheduler.slot_gone,
    e.StepLost: Scheduler.step_lost,
    e.SessionSeen: Scheduler._session_seen,
    e.SessionGone: Scheduler._session_gone,
    e.JobJoined: Scheduler._job_joined,
    e.JobLeft: Scheduler._job_left,
    e.DeadlinePassed: Scheduler._deadline_passed,
    e.Orphaned: Scheduler._orphaned,
    e.SegmentFound: Scheduler._segment_found,
    e.KeccakFound: Scheduler._keccak_found,
    e.Executed: Scheduler._executed,
    e.StepReported: Scheduler._step_reported,
    e.Verified: Scheduler._verified,
    e.Refused: Scheduler._refused,
    e.Finalized: Scheduler._finalized,
    e.Inspected: Scheduler._inspected,
    e.SetGathered: Scheduler._set_gathered,
    e.Uncarried: Scheduler._uncarried,
    e.Divided: Scheduler._divided,
}
