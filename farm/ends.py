"""Bring sessions to their end, and steps that came to nothing to another try.

Pure: the half of the scheduler that knows when to give up.
"""

from typing import Any

from farm import events as e
from farm.assign import Assigner, Limits
from farm.course import Course
from farm.errors import BlobMissing, FarmError, Transient
from farm.job import State
from farm.placement import Key
from farm.session import JobFacts, job_key, same_limits
from farm.wire import ExecutedRecord


class Ends(Assigner):
    """What ends, and what is tried again."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        #: What is to be done because of the event in hand.
        self.out: list[e.Instruction] = []

    def nothing(
        self, key: Key, error: FarmError, *, tried: bool = True, again: bool = False
    ) -> None:
        """Let an attempt have come to nothing: the step is ready again, or the session fails."""
        self.floor.leave(key)
        course, step = self.courses.get(key[0]), key[1]
        if not course:
            return
        course.tries[step] = course.tries.get(step, 0) + tried
        if not (again or isinstance(error, Transient)) or self.spent(course, step):
            self.fail(course, error)
            return
        course.drop(step)
        # Segments may be in the ledger that no event has told of yet.
        if step == "execute":
            self.discard(course)
        if isinstance(error, BlobMissing):
            self.remake(course, str(error.facts[0]))

    def spent(self, course: Course, step: str) -> bool:
        """Return whether a step has been tried often enough."""
        return course.tries[step] >= self.limits.attempts

    def remake(self, course: Course, ref: str) -> None:
        """Have a blob that is gone made again: by its step, or by running the guest once more."""
        if step := course.unbind(ref):
            self.out.append(e.Unbind(course.name, step))
        elif course.needs(ref):
            self.discard(course)
        course.offer()

    def discard(self, course: Course) -> None:
        """Forget all that came of an execution: the guest runs once more."""
        for step in course.discard():
            self.floor.leave((course.name, step))
        self.out.append(e.Discard(course.name))

    def settle(self, course: Course) -> None:
        """Have the receipt made once the root is there."""
        running = course.name in self.courses and course.executed
        if running and course.root and not course.finalizing:
            course.finalizing = True
            image = course.spec.image_id
            self.out.append(e.Finalize(course.name, image, course.root, running.journal))

    def fail(self, course: Course, error: FarmError) -> None:
        """End a session without a receipt."""
        self.close(course, State.FAILED, error=error)

    def close(self, course: Course, state: State, **how: Any) -> None:
        """End a session, and with it whoever waits for just that."""
        end = e.Close(course.name, job_key(course.spec), state, **how)
        self.out.append(end)
        self.out += [outcome(job, end) for job in course.waiters.values()]
        self.forget(course)

    def forget(self, course: Course) -> None:
        """Drop a session and free its slots: it has ended."""
        course.withdraw()
        for step in course.flying:
            self.floor.leave((course.name, step))
        del self.courses[course.name]

    def tell(self, course: Course) -> None:
        """Let the waiters know how far their session is."""
        self.out.append(e.Progress(course.name, tuple(course.waiters), course.progress()))


def outcome(job: JobFacts, end: e.Close) -> e.Finish | e.Reattach:
    """Return what the end of a session means for one who waited.

    A failure is shared only with those who asked for the very same limits: wider ones might
    not have failed.
    """
    if end.state is State.FAILED and not same_limits(end.session, job.identity):
        return e.Reattach(job, end.session)
    who = (job.id, end.session, end.job_key)
    return e.Finish(*who, end.state, end.error, end.receipt, end.journal, end.stats)


def stats(course: Course, record: ExecutedRecord) -> dict[str, Any]:
    """Return the numbers that are kept with a receipt."""
    repeated = sum(course.tries.values())
    return {"segments": record.segments, "cycles": record.cycles, "repeated": repeated}
