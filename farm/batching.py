"""Have the jobs of a guest that takes a list executed together, and give each what came of it.

Pure: the part of the scheduler between placing steps and losing them. A job of such a guest has a
session that is never executed; once its list is closed, a job of the farm's own carries it: its
guest is fed all inputs, and its receipt is that of all. Fails that one, each is carried alone.
"""

from typing import Any

from farm import instructions as do
from farm.assign import Limits
from farm.course import Course
from farm.ends import Ends
from farm.errors import FarmError, Transient, WrongClaim
from farm.gatherings import Gatherings
from farm.job import JobSpec, State

#: The SHA-256 of an input, and the reference of what came of it.
Divided = tuple[str, str]


class Batching(Ends):
    """Sessions that wait for others of their guest, and those that carry them."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self._gatherings = Gatherings(limits.batch_size, limits.batch_wait)
        #: Session that is carried -> the one that carries it, "" while that is handed in.
        self._carried: dict[str, str] = {}

    def gather_in(self, course: Course, *, alone: bool = False) -> None:
        """Let a session wait to be carried, or note whom it carries; for any that is new."""
        for name in course.spec.carries:
            self._gatherings.leave(name)
            self._carried[name] = course.name
        if course.spec.batch and course.name not in self._carried:
            urgent = any(job.priority > 0 or job.deadline for job in course.waiters.values())
            key = (_kind(course.spec), course.name if alone else "")
            self._gatherings.add(key, course.name, self.floor.now, urgent=urgent)

    def carry(self) -> None:
        """Hand in the jobs that carry those whose lists are closed."""
        if not len(self._gatherings):
            return
        busy = len(self.proving) > 0 and not self.floor.free()
        for names in self._gatherings.due(self.floor.now, busy=busy):
            self._carried |= dict.fromkeys(names, "")
            specs = tuple(self.courses[name].spec for name in names)
            self.out.append(do.Carry(tuple(names), specs))

    def uncarried(self, names: tuple[str, ...], error: FarmError) -> None:
        """Note that the job that was to carry these could not be handed in."""
        for course in self._drop(names):
            course.tries["carry"] = course.tries.get("carry", 0) + 1
            if not isinstance(error, Transient) or self.spent(course, "carry"):
                self.fail(course, error)
            else:
                self.gather_in(course, alone=True)

    def settle(self, course: Course) -> None:
        """Have the receipt made once the root is there, and it is known what came of each input."""
        if course.executed and course.spec.carries and not course.outputs:
            if not course.dividing:
                course.dividing = True
                self.out.append(do.Divide(course.name, course.executed.journal))
            return
        super().settle(course)

    def divided(self, course: Course, found: tuple[Divided, ...] | FarmError) -> None:
        """Note what came of each input: its digest, and the reference of its output."""
        inputs = [ref.partition("-")[0] for ref in course.spec.inputs]
        if isinstance(found, FarmError):
            self.fail(course, found)
        elif [digest for digest, _ in found] != inputs:
            self.fail(course, WrongClaim(f"the outputs of {len(found)} inputs", "of those it had"))
        else:
            course.outputs = [ref for _, ref in found]
            self.settle(course)

    def listeners(self, course: Course) -> list[str]:
        """Return the jobs that wait for a session, or for one that it carries."""
        carried = [self.courses[name] for name in course.spec.carries if name in self.courses]
        return [job for one in [course, *carried] for job in one.waiters]

    def close(self, course: Course, state: State, **how: Any) -> None:
        """End a session, and with it those that it carried: well, or they are carried alone."""
        carried = self._drop(course.spec.carries)
        if state is State.SUCCEEDED:
            for one in carried:
                index = course.spec.carries.index(one.name)
                place = {"of": course.job, "index": index, "journal": how["journal"]}
                stats = how["stats"] | {"batch": place}
                journal = course.outputs[index]
                super().close(one, state, **how | {"journal": journal, "stats": stats})
        elif len(course.spec.carries) == 1:
            for one in carried:
                super().close(one, state, **how)
        else:
            for one in carried:
                self.gather_in(one, alone=True)
        super().close(course, state, **how)

    def forget(self, course: Course) -> None:
        """Drop a session and free its slots; whom it carried is carried by another."""
        self._gatherings.leave(course.name)
        self._carried.pop(course.name, None)
        for one in self._drop(course.spec.carries):
            self.gather_in(one)
        super().forget(course)

    def _drop(self, names: list[str] | tuple[str, ...]) -> list[Course]:
        """Return those of these sessions that are still to be carried, by nobody now."""
        found = [self.courses[name] for name in names if name in self.courses]
        for name in names:
            self._carried.pop(name, None)
        return found


def _kind(spec: JobSpec) -> tuple[object, ...]:
    """Return all that jobs have in common that can be carried together."""
    return spec.namespace, spec.image_id, spec.kind, spec.receipt, spec.po2, spec.cycle_limit
