"""Read what simulated devices have recorded: who worked when, for whom, and what was done twice."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from farm import simulated_device
from farm.simulated_profile import Profile


class Spell(NamedTuple):
    """One step's time on one device, in unix time; `stop` is None if it never came to its end."""

    slot: str
    verb: str
    label: str
    span: tuple[int, int]
    start: float
    stop: float | None

    def within(self, start: float, stop: float) -> float:
        """Return the seconds of it that fall between two moments."""
        end = self.stop or self.start
        return max(0.0, min(end, stop) - max(self.start, start))


def spells(state: Path) -> list[Spell]:
    """Return all spells that a farm's devices have recorded, by their beginning."""
    found: list[Spell] = []
    open_: dict[str, Spell] = {}
    for line in simulated_device.read(state):
        if line.verb:
            slot = line.step.partition(" ")[0]
            open_[line.step] = Spell(slot, line.verb, line.label, line.span, line.at, None)
        elif line.step in open_:
            found.append(open_.pop(line.step)._replace(stop=line.at))
    return sorted([*found, *open_.values()], key=lambda one: one.start)


def busy(found: Iterable[Spell], cards: int, start: float, stop: float) -> float:
    """Return the share of the time between two moments for which the cards were at work."""
    return sum(one.within(start, stop) for one in found) / (cards * (stop - start))


def runs_out(found: Iterable[Spell]) -> float:
    """Return when the last segment went to a card: from then on there is too little to do."""
    return max(one.start for one in found if one.verb == "prove")


def last_lifts(found: Iterable[Spell]) -> dict[str, float]:
    """Return when the last segment of each job had been proved and lifted."""
    ends: dict[str, float] = defaultdict(float)
    for one in found:
        if one.verb == "lift" and one.stop:
            ends[one.label] = max(ends[one.label], one.stop)
    return ends


def seconds_of(
    found: Iterable[Spell], tenant: Callable[[str], str], start: float, stop: float
) -> dict[str, float]:
    """Return the seconds that each tenant had of the cards between two moments."""
    had: dict[str, float] = defaultdict(float)
    for one in found:
        had[tenant(one.label)] += one.within(start, stop)
    return had


def repeated(found: Iterable[Spell], profile: Profile, po2: int, speed: float) -> tuple[float, int]:
    """Return the share of all device seconds that was spent again or in vain, and how many steps.

    A step that was killed counts as if it had been almost done.
    """
    total = needed = 0.0
    steps, seen = 0, set[tuple[str, str, tuple[int, int]]]()
    for one in found:
        whole = profile.work(one.verb, po2).device / speed
        seconds = one.stop - one.start if one.stop else whole
        total += seconds
        key = (one.label, one.verb, one.span)
        if one.stop and key not in seen:
            seen.add(key)
            needed += seconds
        else:
            steps += 1
    return (total - needed) / total, steps
