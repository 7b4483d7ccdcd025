"""Chunk sizes: worth a message, soon done, and one for everybody."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.cost import CostModel
from farm.sizes import LATENCY_SECONDS, SHARE, chunk_rows, like

MICROSECOND = 1e-6


def linear(fixed, row):
    return lambda rows: fixed + row * rows


def test_a_large_batch_is_cut_by_the_time_a_chunk_takes():
    assert chunk_rows(linear(0, MICROSECOND), 10_000_000, 2, 3e-4) == 50_000


def test_every_worker_has_some_of_a_batch_that_could_be_one_chunk():
    assert chunk_rows(linear(0, MICROSECOND), 40_000, 4, 3e-4) == 10_000


def test_the_last_round_is_as_full_as_the_others():
    rows = chunk_rows(linear(0, MICROSECOND), 110_000, 2, 3e-4)
    assert ceil(110_000 / rows) == 4


def test_a_small_batch_is_not_cut_below_what_is_worth_a_message():
    assert chunk_rows(linear(0, MICROSECOND), 6_000, 8, 3e-4) == 6_000
    assert chunk_rows(linear(0, MICROSECOND), 20_000, 8, 3e-4) == 6_667


def test_a_row_longer_than_the_target_is_a_chunk_of_its_own():
    assert chunk_rows(linear(0, 1.0), 100, 2, 3e-4) == 1


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_and_one_row_are_one_chunk(rows):
    assert chunk_rows(linear(0, MICROSECOND), rows, 2, 3e-4) == 1


def test_longer_rows_make_smaller_chunks():
    model = CostModel("trace/fib.v0/kernel")
    short, long = (chunk_rows(like(model, n), 1_000_000, 2, 3e-4) for n in (50, 5_000))
    assert short > 10 * long
    assert like(model, 50)(short) <= LATENCY_SECONDS < like(model, 50)(short * 2)


@given(
    fixed=st.floats(0, 1e-2),
    row=st.floats(1e-8, 1.0),
    rows=st.integers(1, 10_000_000),
    workers=st.integers(1, 200),
    overhead=st.floats(0, 1e-2),
)
def test_the_message_is_never_more_than_its_share_of_what_can_be_cut(
    fixed, row, rows, workers, overhead
):
    cost = linear(fixed, row)
    size = chunk_rows(cost, rows, workers, overhead)
    assert 1 <= size <= rows
    worth = overhead <= SHARE * (overhead + cost(size)) * (1 + 1e-9)
    assert worth or size == rows
    in_time = cost(size) <= LATENCY_SECONDS or size == 1
    smaller = size // 2
    assert in_time or overhead > SHARE * (overhead + cost(smaller))
