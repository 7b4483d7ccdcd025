"""The table of the cache against a dictionary, with and without collisions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.keying import Keyer, Keys
from farm.table import WIDTH, Table
from farm.witness import read_inputs

capacities = st.integers(0, 40)
bits = st.sampled_from([0, 2, 5, 64])
batches = st.lists(st.sets(st.integers(1, 60), max_size=25), max_size=8)


def keys(keyer: Keyer, names) -> Keys:
    return keyer.keys(read_inputs("fib.v0", list(names), [[1, 2]] * len(names)))


def values(names) -> np.ndarray:
    return np.repeat(np.array(list(names), "<u8")[:, None], WIDTH, axis=1)


@given(capacities, bits, batches)
def test_what_is_found_is_what_was_put_there(capacity, bits, batches):
    table, keyer, known = Table(capacity), Keyer(bits=bits), set()
    for names in batches:
        wanted = list(names)
        places = table.find(keys(keyer, wanted))
        held = [name for name, place in zip(wanted, places, strict=True) if place >= 0]
        assert set(held) <= known
        assert table.values(places[places >= 0]).tolist() == values(held).tolist()
        missing = [name for name in wanted if name not in held]
        table.insert(keys(keyer, missing), values(missing))
        known |= names
        assert len(table) <= (capacity if capacity <= 8 else 2 * capacity + 8)


def test_everything_is_held_while_there_is_room():
    names = list(range(1, 5001))
    table, keyer = Table(7500), Keyer()
    table.insert(keys(keyer, names), values(names))
    places = table.find(keys(keyer, names))
    assert (places >= 0).mean() > 0.995
    assert len(np.unique(places[places >= 0])) == len(table)


@pytest.mark.parametrize("bits", [0, 64])
def test_what_was_used_longest_ago_goes_first(bits):
    table, keyer = Table(3), Keyer(bits=bits)
    for name in (1, 2, 3):
        table.insert(keys(keyer, [name]), values([name]))
    assert table.find(keys(keyer, [1])) >= 0
    table.insert(keys(keyer, [4]), values([4]))
    assert (table.find(keys(keyer, [1, 2, 3, 4])) >= 0).tolist() == [True, False, True, True]


def test_one_place_holds_the_latest_and_none_holds_nothing():
    one, none, keyer = Table(1), Table(0), Keyer()
    for name in (5, 6):
        for table in (one, none):
            table.insert(keys(keyer, [name]), values([name]))
    assert (one.find(keys(keyer, [5, 6])) >= 0).tolist() == [False, True]
    assert len(none) == 0 and (none.find(keys(keyer, [5, 6])) < 0).all()


def test_a_batch_larger_than_the_table_leaves_it_full():
    table, keyer = Table(8), Keyer()
    table.insert(keys(keyer, range(1, 101)), values(range(1, 101)))
    assert len(table) == 8


def test_all_of_it_moves_to_a_larger_table():
    small, large, keyer = Table(50), Table(500), Keyer()
    small.insert(keys(keyer, range(1, 51)), values(range(1, 51)))
    small.move_to(large, keyer.hashes(*small.keys(small.held())))
    found = large.find(keys(keyer, range(1, 51)))
    held = small.find(keys(keyer, range(1, 51))) >= 0
    assert ((found >= 0) == held).all() and held.sum() > 40
    assert large.values(found[held])[:, 0].tolist() == (np.flatnonzero(held) + 1).tolist()


def test_a_clock_that_has_run_out_begins_anew():
    table, keyer = Table(3), Keyer()
    for name in (1, 2):
        table.insert(keys(keyer, [name]), values([name]))
    table.clock = (1 << 32) - 3
    for name in (2, 3, 4, 5):
        places = table.find(keys(keyer, [name]))
        if places[0] < 0:
            table.insert(keys(keyer, [name]), values([name]))
        assert table.values(table.find(keys(keyer, [name]))).tolist() == values([name]).tolist()
    assert table.clock < 20 and len(table) == 3
