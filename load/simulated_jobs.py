"""The jobs that simulated farms are measured with: when each comes, whose it is, how long it is."""

import random
from typing import NamedTuple

#: Segments of all jobs, but for those that say otherwise, are of this size.
PO2 = 21


class Work(NamedTuple):
    """One job to be: seconds after the start, tenant, name, segments."""

    at: float
    tenant: str
    label: str
    segments: int


def equal(jobs: int, segments: int) -> list[Work]:
    """Return jobs of one tenant that all come at once."""
    return [Work(0.0, "one", f"job-{number}", segments) for number in range(jobs)]


def mix(huge: int, mediums: int, medium: int, smalls: int, seconds: float) -> list[Work]:
    """Return one huge job, medium ones and one-segment ones, of a tenant each.

    The small ones come one by one, evenly at random, within so many seconds: who submits them
    all at once measures a queue.
    """
    rolled = random.Random(5)
    moments = sorted(rolled.uniform(0, seconds) for _ in range(smalls))
    return [
        Work(0.0, "huge", "huge-0", huge),
        *(Work(0.0, "medium", f"medium-{number}", medium) for number in range(mediums)),
        *(Work(at, "small", f"small-{number}", 1) for number, at in enumerate(moments)),
    ]
