"""Decide what to fold: which neighbours to join, and which join can wait.

Pure: no Redis, no Celery, no clock. The tree is the balanced one over all segments: a node
covers [k * 2^j, (k + 1) * 2^j), cut off where the session ends. Any order of joins ends in one
root, so neighbours may also be joined out of the tree when a slot would idle otherwise.
"""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from farm.session import Span, step_name


class Fold(NamedTuple):
    """Two neighbours to join."""

    left: Span
    right: Span
    #: False for a pair that the tree would not join: only worth doing on an idle slot.
    due: bool

    @property
    def span(self) -> Span:
        """What the two cover together."""
        return Span(self.left.start, self.right.end)

    @property
    def name(self) -> str:
        """The name of the step."""
        return step_name("join", self.span)


def folds(free: Iterable[Span], count: int | None) -> list[Fold]:
    """Return joins of `free` spans, no span in two of them.

    `count` is the number of segments, None while the guest still runs: then only pairs are
    returned that the tree has whatever the count will be.
    """
    spans = sorted(free)
    pairs = [(left, right) for left, right in pairwise(spans) if left.end == right.start]
    due = [Fold(left, right, True) for left, right in pairs if _due(left, right, count)]
    loose = [Fold(left, right, False) for left, right in pairs] if count is not None else []
    chosen: list[Fold] = []
    taken: set[Span] = set()
    for fold in due + loose:
        if taken.isdisjoint(fold[:2]):
            taken.update(fold[:2])
            chosen.append(fold)
    return chosen


def widest(spans: Iterable[Span]) -> list[Span]:
    """Return the spans that no other one covers, left to right."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not found or span.end > found[-1].end:
            found.append(span)
    return found


def _due(left: Span, right: Span, count: int | None) -> bool:
    if not (_in_tree(left, count) and _in_tree(right, count)):
        return True  # an earlier join out of the tree: there is nothing better to wait for
    joined = Span(left.start, right.end)
    return _in_tree(joined, count) and left.end - left.start == _room(joined) // 2


def _in_tree(span: Span, count: int | None) -> bool:
    room = _room(span)
    whole = span.end - span.start == room or span.end == count
    return span.start % room == 0 and whole


def _room(span: Span) -> int:
    """Return the smallest power of two that holds the span."""
    return 1 << (span.end - span.start - 1).bit_length()
