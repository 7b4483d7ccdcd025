"""The plan: any order of receipts ends in one root, and aligned neighbours go first."""

from hypothesis import given
from hypothesis import strategies as st

from farm.plan import Fold, folds, widest
from farm.session import Span


def leaves(*starts):
    return {Span(start, start + 1) for start in starts}


def test_aligned_neighbours_join_before_the_guest_has_ended():
    assert folds(leaves(0, 1, 2), None) == [Fold(Span(0, 1), Span(1, 2), True)]


def test_neighbours_out_of_the_tree_wait_while_the_guest_runs():
    assert folds(leaves(1, 2), None) == []


def test_neighbours_out_of_the_tree_are_for_idle_slots_once_it_has_ended():
    assert folds(leaves(1, 2), 4) == [Fold(Span(1, 2), Span(2, 3), False)]


def test_what_is_left_over_at_the_end_is_in_the_tree():
    spans = [Span(0, 4), Span(4, 5)]
    assert folds(spans, 5) == [Fold(*spans, True)]
    assert folds(spans, None) == []
    assert folds([Span(0, 4), Span(4, 6), Span(6, 7)], 7)[0].span == Span(4, 7)


def test_a_join_out_of_the_tree_makes_its_neighbours_due():
    assert folds([Span(0, 1), Span(1, 3)], 4) == [Fold(Span(0, 1), Span(1, 3), True)]


def test_no_span_is_in_two_joins():
    assert len(folds(leaves(0, 1, 2), 3)) == 1


def test_one_segment_needs_no_join():
    assert folds(leaves(0), 1) == []


def test_the_widest_spans_cover_the_others():
    spans = [*leaves(0, 1, 2, 5), Span(0, 2), Span(0, 3)]
    assert widest(spans) == [Span(0, 3), Span(5, 6)]


@given(st.data(), st.integers(1, 40))
def test_every_order_ends_in_one_root(data, count):
    unproved, free, joins = set(range(count)), set(), 0
    ended = False
    while free != {Span(0, count)}:
        ready = folds(free, count if ended else None)
        moves = [("prove", index) for index in sorted(unproved)]
        moves += [("join", fold) for fold in ready]
        moves += [] if ended else [("end", None)]
        move, what = data.draw(st.sampled_from(moves))
        if move == "prove":
            unproved.remove(what)
            free.add(Span(what, what + 1))
        elif move == "join":
            free -= {what.left, what.right}
            free.add(what.span)
            joins += 1
        else:
            ended = True
    assert joins == count - 1


@given(st.integers(1, 64))
def test_in_order_the_tree_is_as_low_as_can_be(count):
    free, depth = {}, {}
    for index in range(count):
        free[Span(index, index + 1)] = 0
    while len(free) > 1:
        fold = next(fold for fold in folds(free, count) if fold.due)
        depth[fold.span] = max(free.pop(fold.left), free.pop(fold.right)) + 1
        free[fold.span] = depth[fold.span]
    assert free[Span(0, count)] == (count - 1).bit_length()
