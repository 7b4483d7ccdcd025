"""Keep a worker on its core.

One slot is one core: the worker's own threads stay there, and its host child starts with
every core of the machine in reach, its home core first, because a step of greater width
may be lent the others. The host keeps a step of width n to the first n of that list.
"""

import os
from collections.abc import Sequence


def cores() -> list[int]:
    """Return the cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def home_first(number: int, available: list[int]) -> list[int]:
    """Return the cores in the order in which slot `number` (from 0) takes them."""
    at = number % len(available)
    return available[at:] + available[:at]


def pin(core: int) -> None:
    """Keep this thread, and every thread it starts from now on, on one core."""
    os.sched_setaffinity(0, {core})


def widen(available: Sequence[int]) -> None:
    """Let this thread, and what it starts, use all of these cores again."""
    os.sched_setaffinity(0, set(available))
