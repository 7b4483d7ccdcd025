"""The trace programs: the reference's vectors, and batches against the plain definition."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import VECTORS

from farm import trace, trace_numpy, trace_plain
from farm.columns import Code, Outputs
from farm.errors import BadTrace
from farm.witness import read_inputs

LIMIT = 1 << 20


@pytest.fixture(scope="module", params=["kernel", "numpy"], autouse=True)
def backend(request):
    path = request.getfixturevalue("kernel") if request.param == "kernel" else "numpy"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_chosen", [])
        assert trace.choose(path) == trace.backend() == request.param
        yield request.param


u64s = st.integers(0, (1 << 64) - 1)
pairs = st.tuples(u64s, u64s)


@pytest.mark.parametrize(("program", "rounds", "witness", "steps", "commitment", "output"), VECTORS)
@pytest.mark.parametrize("copies", [1, 40])
def test_reference_vectors(program, rounds, witness, steps, commitment, output, copies):
    expected = trace_plain.TraceProof(program, output, steps, bytes.fromhex(commitment))
    assert trace_plain.prove(program, rounds, witness) == expected
    batch = read_inputs(program, rounds, [witness] * copies)
    proofs = trace.prove(batch, LIMIT)
    assert [proofs.row(program, row) for row in range(copies)] == [expected] * copies


@given(st.lists(st.tuples(st.integers(1, 300), pairs), min_size=1, max_size=80))
def test_fib_in_batches_is_the_plain_definition(items):
    batch = read_inputs("fib.v0", [n for n, _ in items], [pair for _, pair in items])
    proofs = trace.prove(batch, LIMIT)
    for row, (rounds, pair) in enumerate(items):
        assert proofs.row("fib.v0", row) == trace_plain.prove("fib.v0", rounds, pair)


@given(st.lists(st.lists(u64s, max_size=20), min_size=1, max_size=20))
def test_sha256_in_batches_is_the_plain_definition(items):
    proofs = trace.prove(read_inputs("sha256.v0", None, items), LIMIT)
    for row, witness in enumerate(items):
        assert proofs.row("sha256.v0", row) == trace_plain.prove("sha256.v0", 0, witness)


@pytest.mark.parametrize("block", [1, 1000, 1 << 20])
def test_the_size_of_a_block_changes_nothing(block, monkeypatch):
    batch = read_inputs("fib.v0", [1, 700, 2, 3, 50] * 20, [[row, 1] for row in range(100)])
    expected = trace.prove(batch, LIMIT)
    monkeypatch.setattr(trace_numpy, "BLOCK", block)
    done = Outputs.empty(len(batch))
    trace_numpy.prove(batch, done)
    assert done.pack("") == expected.pack("")


def test_carries_reach_the_upper_half():
    rounds, pair = 300, (2**64 - 1, 2**64 - 1)
    proofs = trace.prove(read_inputs("fib.v0", rounds, [pair] * trace_numpy.NARROW), LIMIT)
    assert proofs.row("fib.v0", 0) == trace_plain.prove("fib.v0", rounds, pair)


def test_threads_do_not_share_the_room_for_states():
    batches = [read_inputs("fib.v0", 150, [[one, row] for row in range(600)]) for one in range(8)]
    expected = [trace.prove(batch, LIMIT).pack("") for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        found = [done.pack("") for done in pool.map(lambda one: trace.prove(one, LIMIT), batches)]
    assert found == expected


@pytest.mark.parametrize("rounds", [[300] * 31 + [2000], [2000] * 32, [1] * 40 + [900]])
def test_rows_of_unlike_lengths(rounds):
    proofs = trace.prove(
        read_inputs("fib.v0", rounds, [[row, 1] for row in range(len(rounds))]), LIMIT
    )
    for row, steps in enumerate(rounds):
        assert proofs.row("fib.v0", row) == trace_plain.prove("fib.v0", steps, [row, 1])


def test_one_bad_row_fails_alone():
    batch = read_inputs("fib.v0", [5, 0, 11, 5], [[0, 1], [0, 1], [0, 1], [0, 1, 2]])
    proofs = trace.prove(batch, limit=10)
    assert proofs.codes.tolist() == [Code.OK, Code.NO_ROUNDS, Code.OVER_LIMIT, Code.BAD_WITNESS]
    assert proofs.row("fib.v0", 0) == trace_plain.prove("fib.v0", 5, [0, 1])
    assert str(proofs.row("fib.v0", 1)) == "item 1: fib.v0 needs at least one round"
    assert isinstance(proofs.row("fib.v0", 3), BadTrace)
    assert not proofs.commitments[1:].any()


def test_a_long_message_is_over_the_limit():
    proofs = trace.prove(read_inputs("sha256.v0", None, [[1] * 9, [1] * 8]), limit=2)
    assert proofs.codes.tolist() == [Code.OVER_LIMIT, Code.OK]


def test_columns_that_do_not_fit_together_are_refused():
    batch = read_inputs("fib.v0", 5, [[0, 1]] * 3)
    short = [("words", batch.words[:-1]), ("lengths", batch.lengths[:-1])]
    for name, column in [*short, ("lengths", batch.lengths + np.uint32(1 << 31))]:
        broken = dataclasses.replace(batch, **{name: column})
        with pytest.raises(BadTrace, match="columns do not fit together"):
            trace.prove(broken, LIMIT)


def test_no_rows_give_no_proofs():
    assert len(trace.prove(read_inputs("fib.v0", [], []), LIMIT)) == 0


def test_the_plain_definition_says_what_it_cannot_do():
    with pytest.raises(BadTrace, match=r"no trace program 'fib.v9'; there are fib.v0, sha256.v0"):
        trace_plain.prove("fib.v9", 1, [])
    with pytest.raises(BadTrace, match="at least one round"):
        trace_plain.prove("fib.v0", 0, [0, 1])


def test_the_states_of_a_chunk_are_the_halves_of_its_digest():
    first, second = trace_plain.prefix_states(b"a" * 8)
    assert (first << 128 | second).to_bytes(32, "big") == sha256(b"a" * 8).digest()
