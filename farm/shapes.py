"""Say which two receipts a union is made of: the trees of keccaks and of sets.

Pure. A guest relies on the root of such a tree, so its shape is the guest's. Leaves are numbered
in their order. In both, a mountain covers the leaves [k * 2^j, (k + 1) * 2^j) and is the union of
its halves; they differ in what becomes of the mountains once there are no more leaves.
"""

from collections.abc import Callable
from typing import NamedTuple

from farm.session import Span


class Shape(NamedTuple):
    """The shape of one tree of unions."""

    #: The two spans whose union is that of a span.
    halves: Callable[[Span], tuple[Span, Span]]
    #: The union that a span goes into, by the number of leaves (None while it is not known); None
    #: for the root, or while that is not known.
    above: Callable[[Span, int | None], Span | None]


def mountains(count: int) -> list[Span]:
    """Return the widest unions of `count` leaves that any later ones leave as they are."""
    found, start = [], 0
    while start < count:
        found.append(Span(start, start + (1 << (count - start).bit_length() - 1)))
        start = found[-1].end
    return found


def _mountain_halves(span: Span) -> tuple[Span, Span]:
    last = _size(span) // 2 if _mountain(span) else span.end & -span.end
    return Span(span.start, span.end - last), Span(span.end - last, span.end)


def _mountain_above(span: Span, count: int | None) -> Span | None:
    size = _size(span)
    start = span.start - span.start % (2 * size)
    if _mountain(span) and (count is None or start + 2 * size <= count):
        return Span(start, start + 2 * size)
    if count is None or span == Span(0, count):
        return None
    left = count - span.end
    return Span(0, span.end if span.start else span.end + (1 << left.bit_length() - 1))


def _pair_halves(span: Span) -> tuple[Span, Span]:
    middle = span.start + (1 << (_size(span) - 1).bit_length() - 1)
    return Span(span.start, middle), Span(middle, span.end)


def _pair_above(span: Span, count: int | None) -> Span | None:
    room = 1 << (_size(span) - 1).bit_length()
    while count is None or span != Span(0, count):
        room *= 2
        start = span.start - span.start % room
        upper = Span(start, start + room if count is None else min(start + room, count))
        if upper != span:
            return upper
    return None


def _mountain(span: Span) -> bool:
    size = _size(span)
    return size & (size - 1) == 0 and span.start % size == 0


def _size(span: Span) -> int:
    return span.end - span.start


#: RISC Zero's Merkle mountain range over requests for the keccak circuit: at the end its mountains
#: unite from the left.
KECCAKS = Shape(_mountain_halves, _mountain_above)
#: The set builder's over the members of a set: at the end an odd one goes up as it is, so that the
#: tree is no deeper than log2 of the number of members.
MEMBERS = Shape(_pair_halves, _pair_above)
