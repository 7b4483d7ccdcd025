"""Decide which sets are closed: those that are full, worth it, or have waited long enough.

Pure; who asks brings the time.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from farm import set_builder

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
#: How the name of an open set begins that tenants share; each that names it agrees.
SHARED = "+"


class Terms(NamedTuple):
    """When a set is closed."""

    size: int
    #: As many may be in it, if they wait already: the set builder has room for them.
    room: int
    #: Seconds since the first member was there.
    max_wait: float
    #: What the members' values come to; 0 for any.
    value: float


class Waiting(NamedTuple):
    """A job that has its receipt and waits to be in a set."""

    job: str
    image_id: str
    #: Whose set and which, and the kind of its receipts: members of others never mix.
    namespace: str
    name: str
    kind: str
    #: Unix time since which it waits.
    since: float
    value: float = 0.0


def seconds(text: str) -> float:
    """Return a duration as "90s", "5m", "1.5h" or "2d" has it; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not found:
        raise ValueError(f"{text!r} is no duration: write 90s, 5m, 2h or 1d")
    return float(found[1]) * _UNITS[found[2]]


def home(namespace: str, name: str) -> str:
    """Return the namespace that the set belongs to which a tenant's job is to be in."""
    return name if name.startswith(SHARED) else namespace


def closed(waiting: Iterable[Waiting], now: float, terms: Terms) -> list[list[Waiting]]:
    """Return the members of each set that is closed at a unix time, oldest first."""
    open_sets: dict[tuple[str, str, str], list[Waiting]] = {}
    for one in sorted(waiting, key=lambda one: (one.since, one.job)):
        key = (home(one.namespace, one.name), one.name, one.kind)
        open_sets.setdefault(key, []).append(one)
    return [made for members in open_sets.values() for made in _close(members, now, terms)]


def _close(members: list[Waiting], now: float, terms: Terms) -> Iterable[list[Waiting]]:
    while members and (count := _due(members, now, terms)):
        yield members[:count]
        members = members[count:]


def _due(members: list[Waiting], now: float, terms: Terms) -> int:
    """Return how many of the oldest make a set, 0 while there are too few."""
    worth = 0.0
    for count, one in enumerate(members, 1):
        worth += one.value
        if terms.value and worth >= terms.value:
            return count
        if count == terms.size:
            return min(len(members), terms.room)
    return len(members) if now - members[0].since >= terms.max_wait else 0


#: The terms where nothing else is set, in the words of the setting.
TERMS: dict[str, object] = {"size": 10, "max_wait": "5m", "value": 0.0}


def terms(given: Mapping[str, object]) -> Terms:
    """Return the terms that a setting has; raises ValueError for what is none."""
    if unknown := given.keys() - TERMS.keys():
        raise ValueError(f"{sorted(unknown)[0]!r} is none of {', '.join(TERMS)}")
    known = {name: str(given.get(name, default)) for name, default in TERMS.items()}
    size = int(known["size"])
    room = set_builder.room(max(1, size))
    found = Terms(size, room, seconds(known["max_wait"]), float(known["value"]))
    if found.size < 1 or not 0 <= found.value < float("inf"):
        raise ValueError(f"a set of {found.size} members, worth {found.value}, is never closed")
    return found
