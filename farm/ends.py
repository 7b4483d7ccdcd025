"""Bring sessions to their end, and steps that came to nothing to another try.

Pure: the half of the scheduler that knows when to give up.
"""

from collections import deque
from typing import Any

from farm import execution, progress
from farm import instructions as do
from farm.assign import PATIENCE, Assigner, Limits
from farm.course import Course
from farm.errors import (
    AssumptionMissing,
    BlobMissing,
    ExecutionDiffers,
    FarmError,
    HostLacks,
    SegmentTooLarge,
    Transient,
)
from farm.job import State
from farm.line import Key
from farm.relied import batch_journal
from farm.session import Gathered, JobFacts, Relied, job_key, same_limits
from farm.wire import ExecutedRecord


class Ends(Assigner):
    """What ends, and what is tried again."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        #: What is to be done because of the event in hand.
        self.out: list[do.Instruction] = []
        #: Sessions whose waiters have still to hear how far they are.
        self.untold: dict[str, Course] = {}
        #: Jobs that others rely on, and the sessions of these.
        self.relying: dict[str, set[str]] = {}
        #: Jobs that have ended, of which those have still to hear.
        self.concluded: deque[tuple[str, Relied]] = deque()
        #: Since when no slot can wrap what a session will come to.
        self._unwrapped: dict[str, float] = {}

    def nothing(
        self, key: Key, error: FarmError, *, tried: bool = True, again: bool = False
    ) -> None:
        """Let an attempt have come to nothing: the step is ready again, or the session fails."""
        if (seat := self.floor.leave(key)) and tried:
            self.floor.shun(key, seat.slot)
        course, step = self.courses.get(key[0]), key[1]
        if not course:
            return
        course.tries[step] = course.tries.get(step, 0) + tried
        if not (again or isinstance(error, Transient)) or self.spent(course, step):
            self.fail(course, error)
            return
        course.drop(step)
        if isinstance(error, ExecutionDiffers):
            self.discard(course)
        given_up = (course.attempts[step], course.tries[step])
        self.out.append(do.GiveUp(course.name, step, *given_up))
        if isinstance(error, BlobMissing) and error.facts:
            self.remake(course, str(error.facts[0]))

    def spent(self, course: Course, step: str) -> bool:
        """Return whether a step has been tried often enough."""
        return course.tries[step] >= self.limits.attempts

    def remake(self, course: Course, ref: str) -> None:
        """Have a blob that is gone made again: by its step, or by running the guest once more."""
        if step := course.unbind(ref):
            self.out.append(do.Unbind(course.name, step))
        elif course.needs(ref):
            self.discard(course)
        course.offer()

    def discard(self, course: Course) -> None:
        """Forget all that came of an execution: the guest runs once more."""
        for step in course.discard():
            self.floor.leave((course.name, step))
        self.out.append(do.Discard(course.name))

    def settle(self, course: Course) -> None:
        """Have the receipt made once the root is there."""
        running = course.name in self.courses and course.executed
        if not running or course.finalizing:
            return
        if not course.spec.proved:
            self._unproved(course, running)
        elif claim := course.unproven:
            self.fail(course, AssumptionMissing(f"claim digest {claim}"))
        elif roots := course.roots:
            course.finalizing = True
            self._unwrapped.pop(course.name, None)
            what = (course.spec.image_id, tuple(roots), running.journal)
            kind, assumed = course.spec.receipt, tuple(running.assumptions)
            self.out.append(do.Finalize(course.name, *what, kind, assumed))
        elif course.spec.receipt == "groth16" and self.floor.lacks("groth16"):
            self._unwrapped.setdefault(course.name, self.floor.now)

    def _unproved(self, course: Course, record: ExecutedRecord) -> None:
        spec = course.spec
        if spec.kind == "trace":
            course.finalizing = True
            what = (spec.image_id, course.input.partition("-")[0], record.journal)
            self.out.append(do.Commit(course.name, *what, record.cycles.get("user", 0)))
        else:
            # There is nothing else to be had of it than what the guest put out.
            self.close(course, State.SUCCEEDED, **self.kept(course, record, record.journal))

    def fail(self, course: Course, error: FarmError) -> None:
        """End a session without a receipt."""
        self.close(course, State.FAILED, error=error)

    def close(self, course: Course, state: State, **how: Any) -> None:
        """End a session, and with it whoever waits for just that."""
        self.out += self.progress(course.name)
        end = do.Close(course.name, job_key(course.spec), state, **how)
        self.out.append(end)
        waiters = [*course.waiters.values()]
        self.forget(course)
        for job in waiters:
            self.conclude(outcome(job, end))

    def set_gathered(self, course: Course, found: Gathered | FarmError) -> None:
        """Note what was gathered for a set, or have it tried again."""
        if not course.gathering:
            return
        course.gathering = False
        if isinstance(found, Gathered):
            self.out.append(do.Keep(course.name, found))
            course.gathered = found
            course.offer()
            self.settle(course)
            return
        course.tries["gather"] = course.tries.get("gather", 0) + 1
        if not isinstance(found, Transient) or self.spent(course, "gather"):
            self.fail(course, found)
        else:
            self.gather(course)

    def kept(self, course: Course, record: ExecutedRecord, receipt: str) -> dict[str, Any]:
        """Return what is kept of a session that ended well."""
        known = {"receipt": receipt, "journal": record.journal}
        more = {"members": course.gathered.members} if course.gathered else {}
        return known | {"stats": stats(course, record) | more}

    def conclude(self, how: do.Finish | do.Reattach) -> None:
        """End a job, and with it the waiting of those that rely on it."""
        self.out.append(how)
        if isinstance(how, do.Finish):
            journal = batch_journal(how.stats) or how.journal
            self.concluded.append((how.job, Relied(how.state, how.receipt, journal)))

    def spread(self) -> None:
        """Let those that rely on jobs know that these have ended; some of them end of it."""
        while self.concluded:
            job, end = self.concluded.popleft()
            for name in self.relying.pop(job, ()):
                if course := self.courses.get(name):
                    course.rely({job: end})
                    self.check(course)

    def check(self, course: Course) -> None:
        """End a session whose guest relies on what will not be there."""
        if why := course.given.lost():
            self.fail(course, AssumptionMissing(why))
        elif none := course.members.none():
            self.fail(course, none)
        else:
            self.gather(course)

    def inspect(self, course: Course) -> None:
        """Have the receipts looked at that are to be in a set."""
        kind = course.spec.receipt
        for ref, image_id in course.members.unseen.items():
            self.out.append(do.Inspect(course.name, ref, image_id, kind))

    def gather(self, course: Course) -> None:
        """Have it stored who is in a set, and what its guest reads, once that is known."""
        due = course.spec.members and course.members.complete and not course.gathered
        if due and not course.gathering:
            course.gathering = True
            entries = tuple(course.members.entries)
            self.out.append(do.Gather(course.name, course.spec.image_id, entries))

    def forget(self, course: Course) -> None:
        """Drop a session and free its slots: it has ended."""
        course.withdraw()
        for job in course.given.awaited + course.members.awaited:
            self.relying.get(job, set()).discard(course.name)
        for step in course.flying:
            self.floor.leave((course.name, step))
        self.floor.forgive(course.name)
        self.untold.pop(course.name, None)
        self._unwrapped.pop(course.name, None)
        del self.courses[course.name]

    def tell(self, course: Course) -> None:
        """Let the waiters know how far their session is; `progress` says it, once a burst."""
        self.untold[course.name] = course

    def progress(self, *names: str) -> list[do.Progress]:
        """Return what waiters have still to hear, of these sessions or of all."""
        found = [self.untold.pop(name, None) for name in names or [*self.untold]]
        return [
            do.Progress(course.name, tuple(self.listeners(course)), progress.entry(course))
            for course in found
            if course
        ]

    def listeners(self, course: Course) -> list[str]:
        """Return the jobs that wait for a session."""
        return [*course.waiters]

    def reject(self) -> None:
        """End the sessions with a step that no slot can hold, or that none can wrap."""
        for session, step in self.misfits():
            if course := self.courses.get(session):
                self.fail(course, SegmentTooLarge(step, self.floor.largest))
        for session in self._unwrappable():
            self.fail(self.courses[session], HostLacks("groth16", "groth16", "succinct"))

    def _unwrappable(self) -> list[str]:
        """Return the sessions that no slot can wrap, once that is for sure."""
        if self._unwrapped and self.floor.proving() and not self.floor.lacks("groth16"):
            self._unwrapped.clear()
        due = self.floor.now - PATIENCE
        return [session for session, since in self._unwrapped.items() if since <= due]


def outcome(job: JobFacts, end: do.Close) -> do.Finish | do.Reattach:
    """Return what the end of a session means for one who waited.

    A failure is shared only with those who asked for the very same limits: wider ones might
    not have failed.
    """
    if end.state is State.FAILED and not same_limits(end.session, job.identity):
        return do.Reattach(job, end.session)
    who = (job.id, end.session, end.job_key)
    return do.Finish(*who, end.state, end.error, end.receipt, end.journal, end.stats)


def stats(course: Course, record: ExecutedRecord) -> dict[str, Any]:
    """Return the numbers that are kept with a receipt."""
    return execution.stats(record) | {"repeated": sum(course.tries.values())}
