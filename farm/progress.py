"""Tell how far a session is, for who waits for it.

Pure.
"""

from farm.course import Course
from farm.job import State


def entry(course: Course) -> dict[str, str | int]:
    """Return the entry that tells waiters how far a session is."""
    known: dict[str, str | int] = {"state": State.RUNNING, "text": doing(course)}
    known |= {"segments": len(course.segments), "segments_known": int(not course.executing)}
    known |= {"proved": course.tree.proved, "folds": _folds(course)}
    leaves = len(course.unions.leaves)
    if course.spec.members:
        known |= {"members": len(course.spec.members), "members_ready": leaves}
    else:
        known |= {"keccaks": leaves, "keccaks_proved": course.unions.proved}
    return known | {"folds_due": 0 if course.executing else _folds_due(course)}


def doing(course: Course) -> str:
    """Return what is done for a session now, in words."""
    if course.spec.batch:
        return "waiting for others to share a proof"
    if course.given.awaited:
        return f"waiting for job {course.given.awaited[0]}"
    if not course.members.complete:
        return "waiting for members"
    if course.roots:
        return "checking the receipt"
    if course.executing:
        return "executing" if not course.tree.proved else "executing and proving"
    if course.tree.roots:
        return "resolving" if course.chain.assumptions else "wrapping"
    return "proving" if course.tree.proved < len(course.segments) else "joining"


def _folds(course: Course) -> int:
    return course.tree.joins + course.unions.united + len(course.chain.refs)


def _folds_due(course: Course) -> int:
    unions = max(0, len(course.unions.leaves) - 1)
    if course.spec.receipt == "composite":
        return unions
    return max(0, len(course.segments) - 1) + unions + len(course.chain)
