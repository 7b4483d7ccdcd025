"""Say what the end of a session means for the jobs that waited for it. Pure."""

from typing import Any

from farm.course import Course
from farm.events import Close, Finish, Reattach
from farm.job import State
from farm.session import JobFacts, same_limits
from farm.wire import ExecutedRecord


def outcome(job: JobFacts, end: Close) -> Finish | Reattach:
    """Return the same end for the job, or another chance.

    A failure is shared only with those who asked for the very same limits: wider ones might
    not have failed.
    """
    if end.state is State.FAILED and not same_limits(end.session, job.identity):
        return Reattach(job, end.session)
    who = (job.id, end.session, end.job_key)
    return Finish(*who, end.state, end.error, end.receipt, end.journal, end.stats)


def stats(course: Course, record: ExecutedRecord) -> dict[str, Any]:
    """Return the numbers that are kept with a receipt."""
    repeated = sum(course.tries.values())
    return {"segments": record.segments, "cycles": record.cycles, "repeated": repeated}
