"""Keep a worker on its core.

A slot has one core, or several where there are fewer slots than cores (a proof needs memory,
too). The worker's own threads stay on the first of them. Its host child starts with every core
of the machine in reach, the slot's own first, because a step may be lent the others: the host
keeps a step of width n to the first n of that list.
"""

import os
from collections.abc import Sequence


def cores() -> list[int]:
    """Return the cores this process may use, in order."""
    return sorted(os.sched_getaffinity(0))


def share(number: int, slots: int, available: list[int]) -> list[int]:
    """Return the cores of slot `number` (from 0) of so many: together the slots have them all."""
    return available[number % len(available) :: slots]


def own_first(own: list[int], available: list[int]) -> list[int]:
    """Return all cores, the slot's own before the others, in the order it would borrow them."""
    at = available.index(own[0])
    round_trip = available[at:] + available[:at]
    return own + [core for core in round_trip if core not in own]


def pin(core: int) -> None:
    """Keep this thread, and every thread it starts from now on, on one core."""
    os.sched_setaffinity(0, {core})


def widen(available: Sequence[int]) -> None:
    """Let this thread, and what it starts, use all of these cores again."""
    os.sched_setaffinity(0, set(available))
