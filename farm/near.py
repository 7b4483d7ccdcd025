"""Decide which of the chosen steps goes to which of the chosen slots: near to what it works on.

Pure. Nothing waits for this: among slots that get a step anyway, a join goes to the one, or else
to the machine, that made one of its halves.
"""

from collections.abc import Mapping, Sequence

from farm.placement import Seat, size
from farm.session import Slot

#: The slots that made what a step works on; None for a step that has to stay where it is.
Makers = Sequence[str] | None
#: What steps can be swapped for: as many cores, segments as large.
_Shape = tuple[int, int]


def near(seats: Sequence[Seat], makers: Sequence[Makers], slots: Mapping[str, Slot]) -> list[Seat]:
    """Return the seats of some steps, handed out anew."""
    if len(seats) < 2 or not any(makers):
        return list(seats)
    found: dict[int, Seat] = {at: seat for at, seat in enumerate(seats) if makers[at] is None}
    left: dict[_Shape, dict[str, Seat]] = {}
    for at, seat in enumerate(seats):
        if at not in found:
            left.setdefault(_shape(seat, slots), {})[seat.slot] = seat
    for at, names in enumerate(makers):
        alike = left.get(_shape(seats[at], slots), {})
        if names and (name := _nearest(names, alike, slots)):
            found[at] = alike.pop(name)
    for at, seat in enumerate(seats):
        if at not in found:
            alike = left[_shape(seat, slots)]
            found[at] = alike.pop(seat.slot if seat.slot in alike else next(iter(alike)))
    return [found[at] for at in range(len(seats))]


def _nearest(makers: Sequence[str], seats: Mapping[str, Seat], slots: Mapping[str, Slot]) -> str:
    """Return the slot among `seats` that is a maker, or on the machine of one; "" for none."""
    if found := next((name for name in makers if name in seats), ""):
        return found
    machines = {slots[name].machine for name in makers if name in slots}
    return next((name for name in seats if slots[name].machine in machines), "")


def _shape(seat: Seat, slots: Mapping[str, Slot]) -> _Shape:
    return len(seat.lent), size(slots[seat.slot])
