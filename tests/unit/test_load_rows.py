"""Rows of the load: no two alike, and whatever is not their own proof is found."""

from dataclasses import replace

import numpy as np
import pytest
from rows import PROGRAM, Faults, Source, faults, outputs

from farm import trace_numpy, trace_plain
from farm.columns import Outputs
from farm.witness import read_inputs

COUNT = 130


@pytest.fixture
def rows():
    source = Source()
    source.take(7)  # lengths go on where they stopped
    return source.take(COUNT)


@pytest.fixture
def done(rows):
    made = Outputs.empty(COUNT)
    trace_numpy.prove(read_inputs(PROGRAM, *rows), made)
    return made


def columns(done, at):
    names = ("outputs", "steps", "commitments", "codes")
    return Outputs(**{name: getattr(done, name)[at] for name in names})


def test_no_two_rows_are_alike():
    source, other = Source(), Source()
    seen = [
        tuple(row)
        for some in (source.take(9), source.take(4), other.take(9))
        for row in some.witness.tolist()
    ]
    assert len(set(seen)) == 22


def test_rounds_are_those_of_the_reference(rows):
    assert rows.rounds.tolist() == [20 + (7 + number) % 50 for number in range(COUNT)]


def test_outputs_are_those_of_the_definition(rows):
    rows.witness[::2, 0] += np.uint64(1 << 63)  # it wraps
    for at in range(0, COUNT, 11):
        proof = trace_plain.prove(PROGRAM, int(rows.rounds[at]), rows.witness[at].tolist())
        assert proof.output == outputs(rows)[at]


def test_the_proofs_asked_for_have_no_faults(rows, done):
    assert faults(rows, done) == Faults()


def test_proofs_that_are_missing_are_lost(rows, done):
    assert faults(rows, columns(done, slice(0, COUNT - 3))).lost == 3


def test_a_row_that_failed_is_lost(rows, done):
    done.codes[4] = 2
    assert faults(rows, done) == Faults(lost=1)


def test_two_proofs_in_each_other_s_place_are_wrong(rows, done):
    order = np.arange(COUNT)
    order[[3, 53]] = order[[53, 3]]  # of the same number of rounds
    assert faults(rows, columns(done, order)) == Faults(wrong=2)


def test_a_proof_that_came_twice_is_told(rows, done):
    order = np.arange(COUNT)
    order[60] = 10
    assert faults(rows, columns(done, order)) == Faults(wrong=1, twice=1)


def test_proofs_that_nobody_asked_for_are_wrong(rows, done):
    order = np.append(np.arange(COUNT), 5)
    assert faults(rows, columns(done, order)) == Faults(wrong=1)


def test_a_wrong_number_of_steps_is_wrong(rows, done):
    steps = done.steps.copy()
    steps[8] += 1
    assert faults(rows, replace(done, steps=steps)) == Faults(wrong=1)
