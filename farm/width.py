"""Say what more cores gain a step, and so whether steps run side by side or one after another.

Pure.
"""

from collections.abc import Sequence

from farm.session import Slot

#: The part of a step that no second core makes faster. A guess until times are recorded.
SERIAL = 0.02


def one_after_another(costs: Sequence[int], shares: Sequence[Sequence[Slot]]) -> bool:
    """Return whether the steps end sooner one after another, each on all cores.

    Side by side they leave cores idle when one is much shorter than the other.
    """
    slots = [slot for one in shares for slot in one]
    together = len({slot.machine for slot in slots}) == 1 and all(slot.cores for slot in slots)
    if len(costs) < 2 or not together:
        return False
    widths = [len(one) for one in shares]
    beside = max(cost * duration(width) for cost, width in zip(costs, widths, strict=True))
    return sum(costs) * duration(sum(widths)) < beside


def duration(width: float, serial: float = SERIAL) -> float:
    """Return the time of a step on so many cores, as a share of its time on one."""
    return serial + (1 - serial) / width
