"""Observations: a sample is told, several at once, and nobody minds when it is not heard."""

import json

import numpy as np
import pytest

from farm import observe
from farm.columns import Outputs
from farm.errors import LedgerDown
from farm.observe import TOGETHER, Observer, of_answer
from farm.tasks.trace import observed
from farm.terms import Features, Observation

ONE = Observation("trace/fib.v0/kernel", 1e-4, Features(rows=1, steps=100))


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(observe, "time", clock)
    return clock


def test_the_first_is_told_at_once_and_the_next_ones_together(clock):
    told = []
    observer = Observer(told.append)
    for _ in range(4):
        observer.note(lambda: [ONE])
    assert len(told) == 1
    clock.now += 1
    observer.note(lambda: [ONE])
    assert [len(json.loads(text)) for text in told] == [1, 4]
    assert json.loads(told[0]) == [
        {"name": ONE.name, "seconds": 1e-4, "features": {"rows": 1, "steps": 100}}
    ]


def test_more_than_enough_is_not_even_looked_at(clock):
    told, asked = [], []
    observer = Observer(told.append)

    def seen():
        asked.append(1)
        return [ONE]

    for _ in range(1000):
        observer.note(seen)
    assert len(asked) == TOGETHER + 1
    clock.now += 1
    observer.note(seen)
    assert len(json.loads(told[-1])) == TOGETHER


def test_nothing_seen_is_not_told(clock):
    told = []
    Observer(told.append).note(list)
    assert told == []


@pytest.mark.parametrize("error", [LedgerDown("x", "gone"), ValueError("a bug")])
def test_no_step_fails_because_nobody_heard(clock, error):
    def fail(_=None):
        raise error

    Observer(fail).note(lambda: [ONE])
    Observer(print).note(fail)


def test_a_chunk_is_its_good_rows_and_their_states(monkeypatch):
    monkeypatch.setattr("farm.tasks.trace.backend", lambda: "numpy")
    done = Outputs.empty(3)
    done.steps[:], done.codes[:] = np.array([12, 0, 202]), np.array([0, 1, 0])
    features = Features(rows=2, steps=214)
    assert observed("fib.v0", done, 0.5) == [Observation("trace/fib.v0/numpy", 0.5, features)]
    done.codes[:] = 2
    assert observed("fib.v0", done, 0.5) == []
    assert observed("fib.v0", Outputs.empty(1), 0.0) == []


def test_an_answer_of_the_host_is_work_and_time():
    features = Features(po2=16, width=2)
    assert of_answer("prove", "cpu", features, 60.0, 31.0) == [
        Observation("risc0/prove/cpu", 60.0, features),
        Observation("risc0/prove/cpu/wall", 31.0, features),
    ]


def test_what_tells_nothing_of_costs_is_left_out():
    assert of_answer("prove", "cpu", Features(width=2), 60.0, 31.0) == []
    assert of_answer("verify", "cpu", Features(), 1.0, 1.0) == []
    assert of_answer("lift", "simulated", Features(), 1.0, 1.0) == []
    (only,) = of_answer("lift", "cpu", Features(), 0.0, 1.0)
    assert only.name == "risc0/lift/cpu/wall"
