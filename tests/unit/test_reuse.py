"""Nothing is proved twice, all comes back in order, and where it does not pay none is held."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from provers import LIMIT, Prover, fib, never, same

from farm import trace
from farm.cache import TraceCache
from farm.errors import Busy
from farm.keying import Keyer
from farm.reuse import Reuse, here
from farm.witness import read_inputs
from farm.worth import Use, Worth

rows = st.lists(st.tuples(st.integers(0, LIMIT + 1), st.integers(1, 3)), max_size=20)


@given(st.lists(rows, max_size=5), st.sampled_from([None, 0, 1, 5]), st.sampled_from([0, 1, 64]))
def test_reused_proofs_are_the_proofs(sequence, capacity, bits):
    reuse = Reuse(TraceCache(LIMIT, capacity, keyer=Keyer(bits=bits)))
    for batch in sequence:
        inputs = read_inputs("fib.v0", [n for n, _ in batch], [[1] * width for _, width in batch])
        assert same(reuse.prove(inputs, Prover()), inputs)


def test_what_was_proved_is_not_proved_again():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    for batch in (fib(3, 4, 3, 3), fib(5, 4, 3, 6), fib(6, 5)):
        assert same(reuse.prove(batch, prover), batch)
    assert prover.rows == [3, 4, 5, 6]
    stats = reuse.stats()
    assert (stats.hits, stats.misses) == (6, 4)


def test_rows_without_a_proof_are_asked_for_each_time():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    batch = fib(0, 3, LIMIT + 1)
    for _ in range(2):
        done = reuse.prove(batch, prover)
        assert same(done, batch) and str(done.row("fib.v0", 0)).startswith("item 0:")
    assert prover.rows == [3, 0, LIMIT + 1, 0, LIMIT + 1]


def test_an_empty_batch_and_one_that_is_all_held_reach_nobody():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    assert len(reuse.prove(fib(), Prover())) == 0
    for _ in range(3):
        assert same(reuse.prove(fib(2, 3), prover), fib(2, 3))
    assert len(prover.asked) == 1


def test_a_batch_that_shares_nothing_passes_as_it_is():
    reuse, prover, batch = Reuse(TraceCache(LIMIT)), Prover(), fib(2, 3, 4)
    reuse.prove(batch, prover)
    assert prover.asked[0] is batch


def test_a_wait_without_an_end_may_be_said_in_numbers():
    reuse = Reuse(TraceCache(LIMIT))
    assert same(reuse.start(fib(2), here(Prover())).wait(math.inf), fib(2))


def test_who_changes_what_it_got_changes_nothing_of_others():
    reuse = Reuse(TraceCache(LIMIT))
    done = reuse.prove(fib(2), Prover())
    with pytest.raises(ValueError, match="read-only"):
        done.outputs[0] = 0


class Script(Worth):
    """Chooses as it is told, and keeps what it learns."""

    def __init__(self, uses):
        made = Worth.of_memory()
        super().__init__(made.look, made.keep)
        self.uses, self.settled = list(uses), []

    def choose(self, rows, proofs_s):
        self.cost = proofs_s
        return self.uses.pop(0)

    def settle(self, use, looked, hits, saved_s, spent_s):
        self.settled.append((looked, hits, round(saved_s, 6)))


def test_where_nothing_is_taken_from_it_what_was_sent_comes_back():
    reuse = Reuse(TraceCache(LIMIT), Script([Use.SAMPLE, Use.NONE]), lambda *_: 1.0)
    sent = [never(None), never(None)]
    for one in sent:
        assert reuse.start(fib(2), lambda part, one=one: one) is one


def test_what_is_refused_is_not_sampled():
    worth = Script([Use.SAMPLE])
    reuse = Reuse(TraceCache(LIMIT), worth, lambda *_: 1.0)

    def refuse(part):
        raise Busy("what trace batches hold", "9 bytes", 1)

    with pytest.raises(Busy):
        reuse.start(fib(2), refuse)
    assert worth.settled == []


def test_a_sample_is_looked_up_and_everything_proved():
    worth = Script([Use.SAMPLE, Use.SAMPLE, Use.NONE, Use.ALL, Use.ALL])
    reuse = Reuse(
        TraceCache(LIMIT), worth, lambda program, rows, steps: 1e-3 * steps, clock=lambda: 0.0
    )
    prover, batch = Prover(), fib(2, 3, 3)
    for _ in range(3):
        assert same(reuse.prove(batch, prover), batch)
    assert [asked is batch for asked in prover.asked] == [True] * 3
    # One of three was equal; then all were known, though none is held.
    assert worth.settled == [(3, 1, 0), (3, 3, 0)]
    for held in (fib(2), fib(2, 6)):
        assert same(reuse.prove(held, prover), held)
    assert worth.cost == pytest.approx(12e-3)
    assert worth.settled[2:] == [(1, 0, 0), (2, 1, 4e-3)]
    assert reuse.stats().saved_s == pytest.approx(4e-3)


def test_a_large_batch_is_sampled_only():
    worth = Script([Use.SAMPLE])
    reuse = Reuse(TraceCache(LIMIT), worth, lambda *_: 1.0)
    batch = read_inputs("fib.v0", 5, np.arange(20_000).reshape(-1, 2))
    reuse.prove(batch, lambda inputs: trace.prove(inputs, LIMIT))
    assert 0 < worth.settled[0][0] < 1000
    assert reuse.stats().held == 0
