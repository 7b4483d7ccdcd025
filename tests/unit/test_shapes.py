"""Union trees have the shapes that the guests have which rely on their roots."""

from hypothesis import given
from hypothesis import strategies as st

from farm.session import Span
from farm.shapes import KECCAKS, MEMBERS, mountains


def mountain_range(count):
    """Return the unions that RISC Zero's accumulator makes, in its own way (its mmr.rs)."""
    peaks, made = [], []

    def merge(left, right):
        made.append((left, right))
        return Span(left.start, right.end)

    for index in range(count):
        added, height = Span(index, index + 1), 0
        while peaks and peaks[-1][1] == height:
            added, height = merge(peaks.pop()[0], added), height + 1
        peaks.append((added, height))
    root = peaks[0][0]
    for peak, _ in peaks[1:]:
        root = merge(root, peak)
    assert root == Span(0, count)
    return made


@given(st.integers(1, 200))
def test_hashes_are_united_as_the_guest_has_done(count):
    made = mountain_range(count)
    assert [KECCAKS.halves(Span(left.start, right.end)) for left, right in made] == made
    for pair in made:
        for half in pair:
            assert KECCAKS.above(half, count) == Span(pair[0].start, pair[1].end)
    assert KECCAKS.above(Span(0, count), count) is None


@given(st.integers(0, 200), st.integers(0, 200))
def test_mountains_stay_however_many_requests_follow(count, more):
    found = mountains(count)
    assert [index for span in found for index in range(*span)] == list(range(count))
    united = {Span(left.start, right.end) for left, right in mountain_range(max(1, count + more))}
    assert all(span in united or span.end - span.start == 1 for span in found)
    for span in found:
        assert KECCAKS.above(span, None).end > count or KECCAKS.above(span, None) in found


def pairs(count):
    """Return the unions that the set builder makes, level by level (guest/set-builder)."""
    level, made = [Span(index, index + 1) for index in range(count)], []
    while len(level) > 1:
        odd = level[-1:] if len(level) % 2 else []
        united = [*zip(level[::2], level[1::2], strict=False)]
        made += united
        level = [*(Span(left.start, right.end) for left, right in united), *odd]
    return made


@given(st.integers(1, 200))
def test_members_are_united_as_the_set_builder_does(count):
    made = pairs(count)
    assert [MEMBERS.halves(Span(left.start, right.end)) for left, right in made] == made
    for pair in made:
        for half in pair:
            assert MEMBERS.above(half, count) == Span(pair[0].start, pair[1].end)
    assert MEMBERS.above(Span(0, count), count) is None


@given(st.integers(1, 200), st.integers(0, 200))
def test_what_members_that_follow_leave_as_it_is_can_be_united_before(count, more):
    united = {Span(left.start, right.end) for left, right in pairs(count + more)}
    for span in mountains(count):
        assert span in united or span.end - span.start == 1
        assert MEMBERS.above(span, None).end > count or MEMBERS.above(span, None) in mountains(
            count
        )
