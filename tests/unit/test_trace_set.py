"""The proofs of a trace batch have one root, and each a path to it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import mountain
from farm.columns import Outputs
from farm.errors import BadInput
from farm.trace_set import TraceSet


def outputs(codes):
    made = Outputs.empty(len(codes))
    made.codes[:] = codes
    made.commitments[:] = np.random.default_rng(7).integers(0, 256, (len(codes), 32), "u1")
    return made


@given(st.lists(st.sampled_from([0, 0, 0, 3]), min_size=1, max_size=40).filter(lambda c: 0 in c))
def test_every_row_with_a_proof_is_in_the_set_and_no_other(codes):
    made = outputs(codes)
    found = TraceSet(made)
    assert found.left_out == [row for row, code in enumerate(codes) if code]
    assert len(found) == codes.count(0) and found.kind == "trace"
    for row, code in enumerate(codes):
        commitment = made.commitments[row].tobytes()
        assert found.holds(row, commitment) == (code == 0)
        assert not found.holds(row, bytes(32))


def test_the_root_is_that_of_a_set_of_claims():
    made = outputs([0, 0, 0])
    digests = [row.tobytes().hex() for row in made.commitments]
    found = TraceSet(made)
    assert found.root == mountain.root(digests)
    assert [found.path(row) for row in range(3)] == mountain.paths(digests)


def test_a_row_without_a_proof_has_no_path():
    with pytest.raises(BadInput, match="row 1"):
        TraceSet(outputs([0, 3])).path(1)


def test_without_a_proof_there_is_no_set():
    with pytest.raises(BadInput):
        TraceSet(outputs([3]))
