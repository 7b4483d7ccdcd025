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
    slots = [slot for share in shares for slot in share]
    together = len({slot.machine for slot in slots}) == 1 and all(slot.cores for slot in slots)
    if len(costs) < 2 or not together:
        return False
    widths = [len(share) for share in shares]
    beside = max(cost * _time(width) for cost, width in zip(costs, widths, strict=True))
    return sum(costs) * _time(sum(widths)) < beside


def _time(width: int) -> float:
    return SERIAL + (1 - SERIAL) / width
