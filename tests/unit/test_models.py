"""The models of a farm: learning from what workers say, whatever they say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.models import BYTES, TOGETHER, Models, read, written
from farm.terms import RULES

NAME = "trace/fib.v0/kernel"
GOOD = {"name": NAME, "seconds": 1e-4, "features": {"rows": 1, "steps": 100}}


def said(*observations):
    return json.dumps(observations)


def test_what_was_measured_is_learned_and_to_be_kept():
    models = Models({})
    models.learn(said(GOOD, GOOD))
    assert models[NAME].count == 2
    ((name, text),) = models.changed().items()
    assert name == NAME
    assert Models({name: text})[NAME] == models[NAME]
    assert models.changed() == {}
    assert models.dropped == 0


def test_a_model_nobody_has_taught_is_there_all_the_same():
    models = Models({})
    assert models["risc0/lift/cpu"].count == 0
    assert models.changed() == {}
    with pytest.raises(BadInput, match="no such kind"):
        models["trace/none"]


@pytest.mark.parametrize(
    "bad",
    [
        {**GOOD, "name": "trace/other/kernel"},
        {**GOOD, "name": "x" * 10_000},
        {**GOOD, "seconds": 0},
        {**GOOD, "seconds": -1},
        {**GOOD, "seconds": 1e300},
        {**GOOD, "seconds": "1"},
        {**GOOD, "seconds": None},
        {**GOOD, "features": {"rows": 1, "steps": -1}},
        {**GOOD, "features": {"rows": 1e300}},
        {**GOOD, "features": {}},
        {**GOOD, "features": {"rows": 1, "steps": 1, "more": 1}},
        {**GOOD, "features": list(range(1000))},
        {**GOOD, "more": 1},
        [],
        7,
    ],
)
def test_one_that_cannot_be_is_dropped_and_the_others_are_not(bad):
    models = Models({})
    models.learn(said(GOOD, bad, GOOD))
    assert (models[NAME].count, models.dropped) == (2, 1)
    assert set(models.changed()) == {NAME}


@pytest.mark.parametrize(
    "batch",
    [
        "",
        "nonsense",
        "{}",
        "[]",
        '[{"name"',
        said(GOOD)[:-1] + ', {"seconds": NaN}]',
        said(*[GOOD] * (TOGETHER + 1)),
        said({**GOOD, "name": "x" * BYTES}),
        "\ud800",
        "[" * 60_000,
        '[{"name": ' * 6_000,
    ],
    ids=lambda text: str(len(text)),
)
def test_a_batch_that_cannot_be_is_dropped(batch):
    models = Models({})
    models.learn(batch)
    assert models.dropped == 1
    assert models.changed() == {}


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps))
def test_nothing_that_is_said_raises(batch):
    Models({}).learn(batch)


def test_there_are_never_more_models_than_kinds_of_steps():
    models = Models({})
    for number in range(1000):
        models.learn(said({**GOOD, "name": f"trace/{number}/kernel"}))
    assert models.changed() == {}
    assert models.dropped == 1000
    assert len(RULES) < 64


def test_a_model_that_cannot_be_read_begins_anew():
    models = Models({})
    models.learn(said(GOOD))
    text = written(models[NAME])
    other = "trace/sha256.v0/kernel"
    kept = {NAME: text, other: text, "risc0/lift/cpu": "nonsense", "unknown": text}
    assert read(kept) == {NAME: models[NAME]}
