"""Open sets close when they are full, worth it or old enough; nobody is in two, nobody is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadSetting
from farm.open_sets import Terms, Waiting, closed, home, seconds, terms
from farm.settings import load

TERMS = Terms(size=3, room=3, max_wait=60.0, value=0.0)


def waits(job, since=0.0, namespace="ours", name="rollup", kind="succinct", value=0.0):
    return Waiting(job, "image", namespace, name, kind, since, value)


def jobs(found):
    return [[one.job for one in made] for made in found]


def test_a_set_that_is_full_is_closed_with_the_oldest():
    waiting = [waits("j4", 4), waits("j1", 1), waits("j3", 3), waits("j2", 2)]
    assert jobs(closed(waiting, 5, TERMS)) == [["j1", "j2", "j3"]]


def test_a_set_is_closed_once_the_first_has_waited_long_enough():
    waiting = [waits("j1", 0), waits("j2", 59)]
    assert closed(waiting, 59.9, TERMS) == []
    assert jobs(closed(waiting, 60, TERMS)) == [["j1", "j2"]]


def test_a_set_is_closed_once_it_is_worth_it():
    waiting = [waits("j1", 1, value=2), waits("j2", 2, value=1.5), waits("j3", 3, value=0)]
    assert jobs(closed(waiting, 4, Terms(10, 11, 60, 3.5))) == [["j1", "j2"]]


def test_who_waits_already_fills_the_rows_that_the_set_takes_anyway():
    waiting = [waits(f"j{at}", at) for at in range(6)]
    assert jobs(closed(waiting, 9, TERMS._replace(room=5))) == [["j0", "j1", "j2", "j3", "j4"]]


def test_tenants_do_not_mix_unless_both_name_a_set_that_is_shared():
    apart = [waits(f"j{at}", at, namespace=f"n{at}") for at in range(3)]
    assert closed(apart, 4, TERMS) == []
    shared = [one._replace(name="+rollup") for one in apart]
    assert jobs(closed(shared, 4, TERMS)) == [["j0", "j1", "j2"]]
    assert (home("n1", "+rollup"), home("n1", "rollup")) == ("+rollup", "n1")


def test_receipts_of_another_kind_are_in_another_set():
    mixed = [waits("j1"), waits("j2"), waits("j3", kind="trace")]
    assert closed(mixed, 1, TERMS) == []


@given(
    st.lists(st.tuples(st.floats(0, 100), st.sampled_from("ab"), st.floats(0, 9)), max_size=40),
    st.integers(1, 9),
    st.integers(0, 3),
    st.floats(0, 20),
)
def test_every_job_is_in_one_set_at_most_and_none_waits_too_long(found, size, more, value):
    waiting = [
        waits(f"j{at}", since, name=name, value=worth)
        for at, (since, name, worth) in enumerate(found)
    ]
    made = closed(waiting, 100, Terms(size, size + more, 50, value))
    inside = [one for members in made for one in members]
    assert len(inside) == len(set(inside))
    assert all(1 <= len(members) <= size + more for members in made)
    assert all(len({one.name for one in members}) == 1 for members in made)
    left = set(waiting) - set(inside)
    assert all(100 - one.since < 50 for one in left)
    for name in "ab":
        rest = [one for one in left if one.name == name]
        assert len(rest) < size and (not value or sum(one.value for one in rest) < value)


@pytest.mark.parametrize(
    ("text", "found"), [("90s", 90), ("5m", 300), ("1.5h", 5400), ("2d", 172800)]
)
def test_durations_are_as_one_writes_them(text, found):
    assert seconds(text) == found


@pytest.mark.parametrize(
    "given",
    [{"size": 0}, {"max_wait": "soon"}, {"max_wait": 5}, {"value": -1}, {"sise": 3}, {"size": "x"}],
)
def test_terms_that_close_nothing_are_refused_by_name(given):
    with pytest.raises(BadSetting, match="aggregate"):
        load(aggregate=given)


def test_what_a_setting_leaves_out_is_as_it_was():
    assert terms(load(aggregate={"size": 20}).aggregate) == Terms(20, 24, 300.0, 0.0)
