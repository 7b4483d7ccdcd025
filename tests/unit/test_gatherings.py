"""Members of one key share lists; each is in one, none is too long, nobody waits too long."""

from hypothesis import given
from hypothesis import strategies as st

from farm.gatherings import BUSY, Gatherings


def test_a_list_that_is_full_is_closed_at_once():
    made = Gatherings(2, 1.0)
    for name in ("one", "two", "three"):
        made.add("key", name, 0.0)
    assert made.due(0.0, busy=True) == [["one", "two"]]
    assert len(made) == 1


def test_a_list_waits_for_more_only_while_nothing_would_idle():
    made = Gatherings(9, 1.0)
    made.add("key", "one", 0.0)
    assert made.due(0.9, busy=False) == []
    assert made.due(1.0, busy=True) == []
    assert made.due(1.0, busy=False) == [["one"]]
    made.add("key", "two", 0.0)
    assert made.due(BUSY, busy=True) == [["two"]]


def test_an_urgent_member_takes_the_others_along():
    made = Gatherings(9, 1.0)
    made.add("key", "one", 0.0)
    made.add("key", "two", 0.0, urgent=True)
    made.add("other", "three", 0.0)
    assert made.due(0.0, busy=True) == [["one", "two"]]
    made.add("key", "four", 0.0)
    assert made.due(0.0, busy=True) == []


def test_who_leaves_is_in_no_list():
    made = Gatherings(9, 1.0)
    made.add("key", "one", 0.0)
    made.add("key", "two", 0.0)
    made.leave("one")
    made.leave("nobody")
    assert made.due(5.0, busy=False) == [["two"]]
    assert len(made) == 0


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 10), st.booleans()), max_size=40),
    st.integers(1, 5),
)
def test_every_member_is_in_exactly_one_list(members, size):
    made, found = Gatherings(size, 1.0), []
    for number, (key, at, leaves) in enumerate(sorted(members, key=lambda one: one[1])):
        found += made.due(at, busy=True)
        made.add(key, f"{key}{number}", at)
        if leaves:
            made.leave(f"{key}{number}")
    found += made.due(1000.0, busy=True)
    names = [name for names in found for name in names]
    kept = [m for m in sorted(members, key=lambda one: one[1])]
    assert len(names) == len(set(names)) == sum(not leaves for _, _, leaves in kept)
    assert all(len(names) <= size and len({name[0] for name in names}) == 1 for names in found)
    assert len(made) == 0
