"""How long steps take, and how many wait in a slot because of it."""

import pytest

from farm.lengths import DEEPEST, LONG, TURN, Lengths, wants_more


def test_a_length_is_learned_from_those_that_came_back():
    lengths = Lengths()
    assert lengths.known("prove", 100) is None
    for _ in range(20):
        lengths.learn("prove", 100, 2.0)
    assert lengths.known("prove", 100) == pytest.approx(2.0)
    assert lengths.guess("prove", 200) == pytest.approx(4.0, rel=0.05)


def test_one_stray_hardly_moves_it_and_a_change_does():
    lengths = Lengths()
    lengths.learn("join", 1, 1.0)
    lengths.learn("join", 1, 1000.0)
    assert lengths.known("join", 1) < 2
    for _ in range(40):
        lengths.learn("join", 1, 10.0)
    assert lengths.known("join", 1) == pytest.approx(10, rel=0.1)


@pytest.mark.parametrize(
    ("first", "waiting", "wanted"),
    [
        (None, [], True),
        (None, [None], False),
        (TURN, [], True),
        (TURN, [TURN], False),
        (TURN / 2, [TURN / 2], True),
        (TURN / 100, [TURN / 100] * (DEEPEST - 1), True),
        (TURN / 100, [TURN / 100] * DEEPEST, False),
        (LONG * TURN * 1.01, [], False),
    ],
)
def test_what_waits_in_a_slot_lasts_for_the_time_between_two_messages(first, waiting, wanted):
    assert wants_more(first, waiting) is wanted
