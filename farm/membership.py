"""Say of each who was asked to be in a set whether it is, with the proof that it is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from farm import mountain
from farm.errors import FarmError
from farm.inclusion import Inclusion
from farm.members import Entry
from farm.set_builder import Member


@dataclass(frozen=True)
class Membership:
    """One who was asked for: in the set with a proof of that, or left out for a reason."""

    #: The id of a job, or the reference of a receipt: its digest and length.
    name: str
    inclusion: Inclusion | None = None
    error: FarmError | None = None


def read(roster: bytes, builder: str, journal: Callable[[str], bytes]) -> list[Membership]:
    """Return all who were asked for, in that order.

    `roster` is what the farm kept of them, `builder` the image id of the set builder, and
    `journal` gets a journal from the store; raises as that does.
    """
    entries = msgspec.json.decode(roster, type=list[Entry])
    paths = mountain.paths(claims(entries))
    return [
        Membership(entry.name, error=error)
        if (error := entry.error())
        else Membership(
            entry.name,
            Inclusion(builder, entry.image_id, journal(entry.journal), paths[entry.place]),
        )
        for entry in entries
    ]


def claims(entries: Sequence[Entry]) -> list[str]:
    """Return the digests of what the members of a set prove, in their order."""
    members = {one.place: Member(one.image_id, one.digest) for one in entries if one.place >= 0}
    return [members[place].claim for place in range(len(members))]
