"""The cache agrees with proving, whatever it is asked in whatever order, with any capacity."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import cache as module
from farm import trace
from farm.cache import TraceCache
from farm.columns import Inputs, Outputs
from farm.keying import Keyer
from farm.rows import from_words, picked, put, states, to_words
from farm.table import ROOM_BYTES
from farm.witness import read_inputs

LIMIT = 6

small = st.integers(0, 2)
fibs = st.lists(
    st.tuples(st.integers(0, LIMIT + 1), st.lists(small, min_size=1, max_size=3)), max_size=12
)
messages = st.lists(st.lists(small, max_size=26), max_size=6)
batches = st.one_of(
    fibs.map(lambda rows: read_inputs("fib.v0", [n for n, _ in rows], [w for _, w in rows])),
    messages.map(lambda rows: read_inputs("sha256.v0", None, rows)),
)
capacities = st.sampled_from([None, 0, 1, 2, 9, 100])
bits = st.sampled_from([0, 1, 64])


def ask(cache: TraceCache, inputs: Inputs) -> tuple[bytes, int]:
    """Return the proofs of a batch by way of the cache, and how many it held."""
    found = cache.look(inputs)
    proofs = trace.prove(inputs, cache.limit)
    firsts, _ = found.keys.different()
    cache.keep(found.keys[firsts], picked(proofs, found.rows[firsts]), found.version)
    put(proofs, found.hits, found.outputs)
    return proofs.pack(""), int(found.hits.sum())


@given(st.lists(batches, max_size=6), capacities, bits)
def test_the_cache_agrees_with_proving(sequence, capacity, bits):
    cache = TraceCache(LIMIT, capacity, keyer=Keyer(bits=bits))
    for inputs in sequence:
        found = cache.look(inputs)
        good = trace.prove(inputs, LIMIT).codes == 0
        # A row with a proof is held or missed, one without is neither.
        assert sorted([*np.flatnonzero(found.hits), *found.rows]) == np.flatnonzero(good).tolist()
        assert ask(cache, inputs)[0] == trace.prove(inputs, LIMIT).pack("")


def test_what_was_kept_is_found():
    cache, batch = TraceCache(100), read_inputs("fib.v0", [5, 6, 7], [[1, 2]] * 3)
    assert [ask(cache, batch)[1] for _ in range(3)] == [0, 3, 3]
    stats = cache.stats()
    assert (stats.hits, stats.misses, stats.held, stats.rate) == (6, 3, 3, 6 / 9)


@pytest.mark.parametrize("capacity", [0, 1])
def test_next_to_no_room_holds_next_to_nothing(capacity):
    cache, batch = TraceCache(100, capacity), read_inputs("fib.v0", [5, 6, 7])
    for _ in range(3):
        assert ask(cache, batch)[0] == trace.prove(batch, 100).pack("")
    assert cache.stats().held == capacity


def test_what_failed_is_not_kept():
    cache, batch = TraceCache(100), read_inputs("fib.v0", [5])
    proofs = trace.prove(batch, 100)
    proofs.codes[0] = 2
    cache.keep(cache.look(batch).keys, proofs)
    assert not cache.look(batch).hits.any()


def test_kept_twice_it_is_held_once():
    cache, batch = TraceCache(100), read_inputs("fib.v0", [5, 6])
    found, proofs = cache.look(batch), trace.prove(batch, 100)
    for _ in range(2):
        cache.keep(found.keys, proofs, found.version)
    assert cache.stats().held == 2


def test_room_is_made_for_half_as_many_again_as_were_seen():
    cache = TraceCache(1000)
    ask(cache, read_inputs("fib.v0", 9, [[row, 1] for row in range(4000)]))
    assert 5500 < cache.stats().capacity < 6500
    assert ask(cache, read_inputs("fib.v0", 9, [[row, 1] for row in range(4000)]))[1] > 3900


def test_growing_forgets_nothing():
    cache = TraceCache(1000)
    for start in range(0, 3000, 500):
        ask(cache, read_inputs("fib.v0", 9, [[row, 1] for row in range(start, start + 500)]))
    assert ask(cache, read_inputs("fib.v0", 9, [[row, 1] for row in range(3000)]))[1] > 2900


def test_it_takes_no_more_memory_than_it_may():
    most = 3000 * ROOM_BYTES
    cache = TraceCache(1000, most_bytes=most)
    ask(cache, read_inputs("fib.v0", 9, [[row, 1] for row in range(9000)]))
    stats = cache.stats()
    assert stats.capacity == 3000
    assert stats.bytes <= most


def test_several_threads_may_ask_at_once():
    cache, wrong = TraceCache(100, 50), []

    def work(seed: int):
        dice = np.random.default_rng(seed)
        for _ in range(30):
            batch = read_inputs("fib.v0", dice.integers(1, 80, 40))
            if ask(cache, batch)[0] != trace.prove(batch, 100).pack(""):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@given(batches)
def test_proofs_come_back_from_their_words(inputs):
    proofs = trace.prove(inputs, LIMIT)
    good = np.flatnonzero(proofs.codes == 0)
    back = Outputs.empty(len(good))
    from_words(to_words(proofs, good), back, slice(None))
    assert back.pack("") == picked(proofs, good).pack("")
    good_rows = inputs.pick(good)
    assert states(good_rows) == int(proofs.steps[good].sum())


def test_what_was_noted_is_remembered_for_a_while(monkeypatch):
    monkeypatch.setattr(module, "NOTED", 4)
    cache, batch = TraceCache(100), read_inputs("fib.v0", list(range(1, 20)))
    keys = cache.keyer.keys(batch)
    assert [cache.noted(keys[at : at + 3]) for at in (0, 0, 2, 0)] == [0, 3, 1, 3]
    assert cache.noted(keys[5:12]) == 0
    assert cache.noted(keys[12:]) == 0  # two generations on
    assert cache.noted(keys[:3]) == 0 and cache.stats().held == 0
