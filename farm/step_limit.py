"""Say how long a step may go on in a slot, from how long that slot took for others like it.

Pure. A limit is there to end what hangs, never what is slow. So a slot is held to its own pace
and to no other's (a farm may have GPUs and old cores), to the slowest of what it did lately, and
only once it has done enough. A step that came to nothing is tried again with all the time there
is: if it was a limit that ended it, that costs one try and never the job.
"""

from collections import deque

from farm.session import Slot

#: How much longer than the slowest of the latest a step may take: a core that other work keeps
#: busy leaves a prover a tenth of itself (farm/host.py makes it stand back), and twice that.
TIMES = 20.0
#: Seconds below which nothing is ended: of short steps the farm's own part varies most.
FLOOR = 60.0
#: Steps of a kind and size after which a slot's pace is known: as many as are remembered.
ENOUGH = 8


class StepLimits:
    """What slots took for steps, by kind and cost; `most` is the limit while that is not known."""

    def __init__(self, most: float) -> None:
        self._most = most
        self._seen: dict[str, dict[tuple[str, float], deque[float]]] = {}
        self._incarnations: dict[str, str] = {}

    def learn(self, slot: Slot, kind: str, cost: float, seconds: float) -> None:
        """Note what a step took in a slot on its own cores alone."""
        if self._incarnations.get(slot.name) != slot.incarnation:  # it may be another machine
            self._incarnations[slot.name], self._seen[slot.name] = slot.incarnation, {}
        latest = self._seen[slot.name].setdefault((kind, cost), deque(maxlen=ENOUGH))
        latest.append(seconds)

    def forget(self, slot: str) -> None:
        """Drop what is known of a slot: it has left."""
        self._seen.pop(slot, None)
        self._incarnations.pop(slot, None)

    def limit(self, slot: Slot, kind: str, cost: float, tries: int) -> float:
        """Return the seconds that a step may take there; `tries` before it came to nothing."""
        same = self._incarnations.get(slot.name) == slot.incarnation
        latest = self._seen[slot.name].get((kind, cost), ()) if same else ()
        if tries or len(latest) < ENOUGH:
            return self._most
        return min(self._most, max(FLOOR, TIMES * max(latest)))
