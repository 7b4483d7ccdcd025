"""Keys of trace rows: equal exactly where the proofs are, however little of a hash there is."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import trace
from farm.columns import Inputs
from farm.keying import Keyer, Keys, provable
from farm.witness import read_inputs

words = st.integers(0, 3) | st.integers(0, (1 << 64) - 1)
messages = st.lists(st.lists(words, max_size=6), max_size=25)
fibs = st.lists(st.tuples(st.integers(1, 4), st.tuples(words, words)), max_size=25)
keyers = st.builds(Keyer, bits=st.sampled_from([0, 1, 3, 64]))


def fib(rows: list) -> Inputs:
    return read_inputs("fib.v0", [n for n, _ in rows], [list(pair) for _, pair in rows])


def check_leaders(keys: Keys, rows: list):
    assert keys.leaders().tolist() == [rows.index(row) for row in rows]
    firsts, inverse = keys.different()
    assert [rows[first] for first in firsts] == list(dict.fromkeys(rows))
    assert [rows[firsts[at]] for at in inverse] == rows


@given(keyers, fibs)
def test_the_leader_of_a_row_is_the_first_that_is_equal(keyer, rows):
    check_leaders(keyer.keys(fib(rows)), rows)


@given(keyers, messages)
def test_messages_of_any_length_are_told_apart(keyer, rows):
    check_leaders(keyer.keys(read_inputs("sha256.v0", None, rows)), [tuple(row) for row in rows])


def test_no_two_programs_share_a_key():
    keyer = Keyer()
    one = keyer.keys(read_inputs("fib.v0", [2], [[5, 6]]))
    other = keyer.keys(read_inputs("sha256.v0", None, [[5, 6]]))
    assert not one.equal(other)[0]


def test_a_keyer_of_the_same_seed_makes_the_same_keys_and_another_does_not():
    batch = read_inputs("sha256.v0", None, [[1, 2, 3, 4]])
    one, same, other = (Keyer(seed).keys(batch) for seed in (b"a", b"a", b"b"))
    assert one.equal(same)[0] and not one.equal(other)[0]
    assert one.hashes[0] == same.hashes[0] != other.hashes[0]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 3)), max_size=20), st.integers(0, 12))
def test_provable_is_what_gets_a_proof(rows, limit):
    batch = read_inputs("fib.v0", [n for n, _ in rows], [[1] * width for _, width in rows])
    check_provable(batch, limit)


@given(messages, st.integers(0, 2))
def test_provable_messages_are_those_that_get_a_proof(rows, limit):
    check_provable(read_inputs("sha256.v0", None, rows), limit)


def check_provable(batch: Inputs, limit: int):
    able, good = provable(batch, limit), trace.prove(batch, limit).codes == 0
    assert good.all() if able is None else able.tolist() == good.tolist()


@pytest.mark.parametrize("program", ["fib.v0", "sha256.v0"])
def test_a_sample_is_of_the_size_asked_for_and_takes_equal_rows_together(program):
    rounds = 9 if program == "fib.v0" else None
    batch = read_inputs(program, rounds, [[row, 1] for row in range(20_000)] * 2)
    keyer = Keyer(b"seed")
    rows = keyer.sample(batch, 1000)
    assert 500 < len(rows) < 2000
    assert np.array_equal(rows[: len(rows) // 2] + 20_000, rows[len(rows) // 2 :])
    smaller = batch.pick(rows)
    assert keyer.sample(smaller, len(rows)).tolist() == list(range(len(rows)))


def test_a_row_of_another_width_harms_no_sample():
    keyer, rows = Keyer(), [[number, 1] for number in range(500)]
    plain = keyer.sample(read_inputs("fib.v0", 9, rows), 100)
    odd = keyer.sample(read_inputs("fib.v0", 9, [*rows, [1, 2, 3]]), 100)
    assert [row for row in odd.tolist() if row < 500] == plain.tolist()
