"""The compiled kernel: the same to the bit as numpy and the plain definition, and safe to call."""

import _ctypes
import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vectors import VECTORS

from farm import kernel as kernel_module
from farm import trace, trace_plain
from farm.columns import Code, Inputs, Outputs
from farm.errors import BadTrace, KernelMissing
from farm.kernel import Kernel
from farm.witness import read_inputs

LIMIT = 300

words = st.integers(0, (1 << 64) - 1) | st.sampled_from([0, 1, (1 << 64) - 1])
witnesses = st.lists(words, min_size=2, max_size=2) | st.lists(words, max_size=30)
fibs = st.lists(st.tuples(st.integers(0, LIMIT + 2), witnesses), min_size=1, max_size=60)
messages = st.lists(st.lists(words, max_size=30), min_size=1, max_size=30)


@pytest.fixture(autouse=True, scope="module")
def undecided():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trace, "_chosen", [])
        yield


def by(path, batch, limit=LIMIT):
    trace.choose(path)
    return trace.prove(batch, limit)


def plainly(batch, codes):
    """Return the rows as the plain definition proves them; those that have a code stay zeros."""
    done = Outputs.empty(len(batch))
    done.codes[:] = codes
    proved = np.flatnonzero(codes == Code.OK).tolist()
    for row, (rounds, witness) in zip(proved, batch.rows(proved), strict=True):
        proof = trace_plain.prove(batch.program, rounds, witness)
        done.outputs[row], done.steps[row] = proof.output, proof.steps
        done.commitments[row] = np.frombuffer(proof.commitment, "u1")
    return done


def check_all_agree(kernel, batch):
    found = by(kernel, batch)
    assert trace.backend() == "kernel"
    assert found.pack("") == by("numpy", batch).pack("")
    assert found.pack("") == plainly(batch, found.codes).pack("")
    return found


@given(items=fibs)
def test_fib_is_the_same_by_all_three(kernel, items):
    rounds, witness = zip(*items, strict=True)
    batch = ragged("fib.v0", rounds, witness)
    codes = check_all_agree(kernel, batch).codes.tolist()
    for code, (count, row) in zip(codes, items, strict=True):
        bad = Code.OVER_LIMIT if count > LIMIT else Code.NO_ROUNDS if count == 0 else Code.OK
        assert code == (bad if len(row) == 2 else Code.BAD_WITNESS)


@given(items=messages)
def test_sha256_is_the_same_by_all_three(kernel, items):
    check_all_agree(kernel, ragged("sha256.v0", [0] * len(items), items))


def ragged(program, rounds, witness):
    joined = np.array([word for row in witness for word in row], "<u8")
    lengths = np.array([len(row) for row in witness], "<u4")
    return Inputs(program, joined, np.array(rounds, "<u4"), lengths)


@pytest.mark.parametrize(("program", "rounds", "witness", "steps", "commitment", "output"), VECTORS)
def test_the_vectors_of_the_reference(kernel, program, rounds, witness, steps, commitment, output):
    found = check_all_agree(kernel, ragged(program, [rounds], [witness])).row(program, 0)
    assert found == trace_plain.TraceProof(program, output, steps, bytes.fromhex(commitment))


def test_one_long_proof_is_the_same(kernel):
    found = by(kernel, read_inputs("fib.v0", 100_000), limit=100_000)
    assert found.row("fib.v0", 0) == trace_plain.prove("fib.v0", 100_000, [0, 1])


def test_no_rounds_and_too_many_are_codes_and_leave_zeros(kernel):
    found = by(kernel, read_inputs("fib.v0", [0, LIMIT + 1, 2**32 - 1, 1]))
    assert found.codes.tolist() == [Code.NO_ROUNDS, Code.OVER_LIMIT, Code.OVER_LIMIT, Code.OK]
    assert not found.commitments[:3].any() and not found.steps[:3].any()


def test_columns_need_be_neither_whole_nor_aligned(kernel):
    batch = read_inputs("fib.v0", range(1, 11), [[row, 1] for row in range(10)])
    expected = by(kernel, batch).pack("")
    assert by(kernel, dataclasses.replace(batch, words=strided(batch.words))).pack("") == expected
    shifted = np.frombuffer(b"x" + batch.rounds.tobytes(), "<u4", 10, 1)
    assert not shifted.flags.aligned
    assert by(kernel, dataclasses.replace(batch, rounds=shifted)).pack("") == expected


def strided(column):
    return np.repeat(column, 2)[::2]


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("words", np.zeros(5, "<u8")),
        ("words", np.zeros(6, "<i8")),
        ("words", np.zeros((3, 2), "<u8")),
        ("lengths", np.full(2, 2, "<u4")),
        ("lengths", np.array([2, 2, 3], "<u4")),
        ("lengths", np.array([2, 2**32 - 1, 2**32 - 1], "<u4")),
        ("rounds", np.ones(3, "<u8")),
    ],
)
def test_hostile_inputs_are_refused_before_they_are_read(kernel, name, column):
    batch = dataclasses.replace(read_inputs("fib.v0", 5, [[0, 1]] * 3), **{name: column})
    with pytest.raises(BadTrace, match="batch: "):
        Kernel(kernel).prove(batch, Outputs.empty(3))


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("codes", np.zeros(2, "u1")),
        ("steps", np.zeros(3, "<u8")),
        ("outputs", strided(np.zeros(3, "<u8"))),
        ("commitments", np.zeros((3, 31), "u1")),
        ("commitments", np.frombuffer(bytes(96), "u1").reshape(3, 32)),
    ],
)
def test_results_are_written_only_where_there_is_room(kernel, name, column):
    done = dataclasses.replace(Outputs.empty(3), **{name: column})
    with pytest.raises(BadTrace, match="batch: "):
        Kernel(kernel).prove(read_inputs("fib.v0", 5, [[0, 1]] * 3), done)


def test_a_witness_that_fib_cannot_take_is_refused_if_its_code_lets_it_through(kernel):
    with pytest.raises(BadTrace, match="do not fit together"):
        Kernel(kernel).prove(read_inputs("fib.v0", 5, [[0, 1, 2]]), Outputs.empty(1))


def test_a_kernel_of_another_version_is_refused(kernel, monkeypatch):
    monkeypatch.setattr(kernel_module, "VERSION", 999)
    with pytest.raises(KernelMissing, match=r"it is of version 1, the farm needs 999; build"):
        trace.choose(kernel)


@pytest.mark.parametrize("body", [None, b"", b"not a library"])
def test_a_named_kernel_that_cannot_be_loaded_is_refused(tmp_path, body):
    path = tmp_path / "libfarm_kernel.so"
    if body is not None:
        path.write_bytes(body)
    with pytest.raises(KernelMissing, match=r"no trace kernel at .*libfarm_kernel.so: .*; build"):
        trace.choose(str(path))


def test_a_library_of_something_else_is_refused():
    with pytest.raises(KernelMissing, match="farm_kernel_version"):
        trace.choose(_ctypes.__file__)


@pytest.mark.parametrize("found", [True, False])
def test_without_a_kernel_numpy_proves_and_says_so_once(tmp_path, monkeypatch, caplog, found):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("FARM_KERNEL", raising=False)
    monkeypatch.setattr(trace, "_chosen", [])
    if found:  # left by another version, say
        left = tmp_path / "proving-farm/bin/libfarm_kernel.so"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"not a library")
    for _ in range(2):
        proofs = trace.prove(read_inputs("fib.v0", [10]), LIMIT)
    assert proofs.row("fib.v0", 0) == trace_plain.prove("fib.v0", 10, [0, 1])
    assert trace.backend() == "numpy"
    [said] = caplog.messages
    assert "by numpy" in said and "libfarm_kernel.so" in said


def test_the_setting_is_used_where_nobody_chose(monkeypatch):
    monkeypatch.setattr(trace, "_chosen", [])
    monkeypatch.setenv("FARM_KERNEL", "/nowhere/kernel.so")
    with pytest.raises(KernelMissing, match=r"/nowhere/kernel.so: there is no such file"):
        trace.backend()
    monkeypatch.setenv("FARM_KERNEL", "numpy")
    assert trace.backend() == "numpy"
