"""The columns of a batch: what is read into them, split, packed and joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.columns import Inputs, Outputs
from farm.errors import BadTrace
from farm.witness import read_inputs

rows = st.lists(st.lists(st.integers(0, (1 << 64) - 1), max_size=9), max_size=30)


def same(one: Inputs, other: Inputs) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name))
        for name in ("words", "rounds", "lengths")
    )


@given(rows, st.integers(1, 12), st.integers(0, 40))
def test_the_parts_of_a_split_are_the_batch(witness, size, work):
    batch = read_inputs("sha256.v0", None, witness)
    parts = [Inputs.unpack(part.pack("b1")) for part in batch.split(size, work)]
    assert [row for part in parts for row in part.rows(range(len(part)))] == [
        (0, row) for row in witness
    ]
    assert all(0 < len(part) <= size for part in parts)
    assert all(len(part) == 1 or part.lengths.sum() <= work for part in parts)


def test_inputs_come_back_from_their_buffer():
    batch = read_inputs("fib.v0", [1, 2, 3], np.arange(6).reshape(3, 2))
    back = Inputs.unpack(batch.pack("b1"))
    assert same(batch, back) and back.program == "fib.v0" and [*back.rows([2])] == [(3, [4, 5])]


def test_fib_starts_from_zero_and_one():
    assert read_inputs("fib.v0", [3, 4]).words.tolist() == [0, 1, 0, 1]


def test_one_number_of_rounds_serves_every_witness():
    assert read_inputs("fib.v0", 9, [[1, 2], [3, 4]]).rounds.tolist() == [9, 9]


def test_rounds_out_of_range_are_kept_out_of_range():
    limits = read_inputs("fib.v0", [-5, 1 << 70]).rounds.tolist()
    assert limits == [0, 0xFFFFFFFF]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("fib.v9", 1), "no trace program"),
        (("fib.v0",), "needs rounds"),
        (("fib.v0", 1.5), "whole number"),
        (("fib.v0", [[1]]), "whole number"),
        (("fib.v0", [1, 2, 3], [[0, 1]] * 2), "a batch of 3 rounds has 2 witnesses"),
        (("fib.v0", 1, [[0, -1]]), "rows of u64 words"),
        (("fib.v0", 1, [["a", "b"]]), "rows of u64 words"),
        (("fib.v0", 1, [[0.5, 1]]), "rows of u64 words"),
        (("fib.v0", 1, np.array([[0, -1]])), "rows of u64 words"),
        (("sha256.v0", None, [[1], [2, -3]]), "rows of u64 words"),
        (("sha256.v0", None, [[1 << 64]]), "rows of u64 words"),
        (("sha256.v0", None, [1, 2]), "rows of u64 words"),
        (("fib.v0", 1, 7), "rows of u64 words"),
    ],
)
def test_a_batch_that_cannot_be_read_is_refused(arguments, text):
    with pytest.raises(BadTrace, match=text):
        read_inputs(*arguments)


def test_columns_that_do_not_fit_together_are_refused():
    batch = read_inputs("fib.v0", [1, 2])
    short = Inputs("fib.v0", batch.words[:-1], batch.rounds, batch.lengths)
    with pytest.raises(BadTrace, match="do not fit together"):
        Inputs.unpack(short.pack("b1"))
    with pytest.raises(BadTrace, match="no trace program 'x'"):
        Inputs.unpack(Inputs("x", batch.words, batch.rounds, batch.lengths).pack("b1"))
    rows = Outputs.empty(3)
    cut = Outputs(rows.outputs[:2], rows.steps, rows.commitments, rows.codes)
    with pytest.raises(BadTrace, match="do not fit together"):
        Outputs.unpack(cut.pack("b1"), "b1")


def test_outputs_are_joined_in_order():
    parts = [Outputs.empty(2), Outputs.empty(1)]
    parts[1].steps[0] = 7
    joined = Outputs.joined([Outputs.unpack(part.pack("b1"), "b1") for part in parts])
    assert joined.steps.tolist() == [0, 0, 7] and joined.commitments.shape == (3, 32)
    assert len(Outputs.joined([])) == 0


def test_results_of_another_batch_are_refused():
    with pytest.raises(BadTrace, match="results of b2 trace:0-1, not b1 trace:0-1"):
        Outputs.unpack(Outputs.empty(1).pack("b2 trace:0-1"), "b1 trace:0-1")


@given(rows, st.data())
def test_picked_rows_are_those_asked_for(witness, data):
    batch = read_inputs("sha256.v0", None, witness)
    at = st.lists(st.integers(0, len(witness) - 1)) if witness else st.just([])
    wanted = np.array(data.draw(at), np.int64)
    picked = batch.pick(wanted)
    assert [*picked.rows(range(len(picked)))] == [(0, witness[row]) for row in wanted]
    assert len(Inputs.unpack(picked.pack("b1"))) == len(wanted)


@given(st.lists(rows, min_size=1, max_size=4))
def test_joined_inputs_and_split_outputs_are_what_they_were(parts):
    batches = [read_inputs("sha256.v0", None, part) for part in parts]
    joined = Inputs.joined(batches)
    assert [words for _, words in joined.rows(range(len(joined)))] == [
        words for part in parts for words in part
    ]
    done = Outputs.empty(len(joined))
    done.steps[:] = np.arange(len(joined))
    split = list(done.split(map(len, parts)))
    assert [len(part) for part in split] == [len(part) for part in parts]
    assert same_rows(Outputs.joined(split), done)


def same_rows(one: Outputs, other: Outputs) -> bool:
    names = ("outputs", "steps", "commitments", "codes")
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)
