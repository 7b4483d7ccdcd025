"""Learn how long steps take from those that came back, and how deep a slot's queue has to be.

Pure. Only the scheduler's own clock is in it: from the sending of a step, or the end of the one
before it in its slot, to its report.
"""

from collections.abc import Sequence

#: What the newest of equal steps weighs in their length, and how far it can be off to count whole.
NEWEST, STRAY = 0.2, 4.0
#: Seconds for a cycle of proving, until something was measured: of a fast GPU.
CYCLE = 3e-7
#: Seconds between the end of a step in a slot and the start of the next that was not there yet:
#: output stored, reported, verified, next one sent, inputs fetched. An upper bound on one machine.
TURN = 0.5
#: Steps of so many turns do without a look-ahead: the slot idles 2 % at most, and what is more
#: urgent does not wait behind two of them.
LONG = 50
#: Most steps that wait in a slot.
DEEPEST = 3


class Lengths:
    """Seconds of steps, by kind and cost."""

    def __init__(self) -> None:
        self._seconds: dict[tuple[str, float], float] = {}
        self._cycle = CYCLE

    def learn(self, kind: str, cost: float, seconds: float) -> None:
        """Note what one step took."""
        known = self._seconds.get((kind, cost), seconds)
        seen = min(max(seconds, known / STRAY), known * STRAY)
        self._seconds[kind, cost] = known + NEWEST * (seen - known)
        self._cycle += NEWEST * (seen / cost - self._cycle)

    def known(self, kind: str, cost: float) -> float | None:
        """Return what such steps take, None as long as none came back."""
        return self._seconds.get((kind, cost))

    def guess(self, kind: str, cost: float) -> float:
        """Return what such a step may take."""
        return self._seconds.get((kind, cost), cost * self._cycle)


def wants_more(first: float | None, waiting: Sequence[float | None]) -> bool:
    """Return whether a slot needs a look-ahead behind a step and those that wait, by their seconds.

    What waits has to last for a turn; what nobody knows is taken to.
    """
    if first is not None and first > LONG * TURN:
        return False
    enough = sum(TURN if seconds is None else seconds for seconds in waiting) >= TURN
    return not enough and len(waiting) < DEEPEST
