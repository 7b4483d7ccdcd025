"""The bound that a real session is held against: the list schedule of its own steps."""

import pytest
from segments import Done, answered, bound

from farm.session import Span

PROOFS = {Span(at, at + 1): Done(10.0, 1) for at in range(4)}
FOLDS = {Span(0, 2): Done(4.0, 1), Span(2, 4): Done(4.0, 1), Span(0, 4): Done(3.0, 2)}


def test_steps_fill_the_cores_and_wait_for_their_parts():
    # Two rounds of proofs, then both joins side by side: no proof waits behind a join.
    assert bound(PROOFS | FOLDS, 2) == 10 + 10 + 4 + 3
    assert bound(PROOFS | FOLDS, 4) == 10 + 4 + 3


def test_a_wide_step_waits_for_its_cores():
    assert bound({Span(0, 1): Done(10.0, 1), Span(1, 2): Done(1.0, 2)}, 2) == 11
    with pytest.raises(ValueError, match="nobody makes"):
        bound({Span(0, 2): Done(1.0, 1)}, 2)


def test_the_verbs_of_a_step_add_up():
    line = (
        "2026-11-23 10:00:00 [info     ] host answered    cpu_seconds=9.1 peak_bytes=14 "
        "seconds={0} step='job j1 {1} width {2}' verb={3}\n"
    )
    logs = line.format(10.5, "prove 0-1", 1, "prove") + line.format(40.0, "prove 0-1", 1, "lift")
    logs += line.format(30.0, "join 0-2", 2, "join") + line.format(0.1, "execute", 1, "execute")
    assert answered(logs) == {Span(0, 1): Done(50.5, 1), Span(0, 2): Done(30.0, 2)}
