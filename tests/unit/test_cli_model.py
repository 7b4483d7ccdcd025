"""`farm model`: what the farm has learned, for people and for scripts."""

import json

import pytest

from farm.cost import CostModel
from farm.terms import Features


@pytest.fixture
def learned(typed_farm):
    models = {}
    typed_farm.ledger.models = lambda: models
    return models


@pytest.fixture
def farm_cli(farm_cli):
    def run(*arguments):
        code, out, err = farm_cli(*arguments)
        assert (code, err) == (0, "")
        return out

    return run


def test_before_anything_ran_it_says_so(learned, farm_cli):
    assert farm_cli("model").startswith("no step has been measured yet\ncache: ")
    assert json.loads(farm_cli("model", "--json"))["models"] == []


def test_each_model_says_what_steps_cost_and_how_far_it_errs(learned, farm_cli):
    trace, lift = CostModel("trace/fib.v0/numpy"), CostModel("risc0/lift/cpu/wall")
    trace.observe(Features(rows=1, steps=100), 46e-6)
    learned.update({trace.name: trace, lift.name: lift})
    lines = farm_cli("model").splitlines()
    assert lines[0] == "trace/fib.v0/numpy: 1 observations, error 50.0%"
    assert [line.split() for line in lines[4:7]] == [
        ["risc0/lift/cpu/wall:", "0", "observations"],
        ["1", "core", "96", "s"],
        ["2", "cores", "49", "s"],
    ]


def test_a_script_gets_features_and_seconds(learned, farm_cli):
    for name in ("trace/fib.v0/kernel", "risc0/prove/cpu", "risc0/execute/cpu"):
        learned[name] = CostModel(name)
    found = json.loads(farm_cli("model", "--json"))["models"]
    assert [(one["name"], one["observations"], one["error"]) for one in found] == [
        (name, 0, None) for name in learned
    ]
    proof = found[0]["predictions"][0]
    assert proof == {"size": "100 steps", "rows": 1, "steps": 100, "seconds": pytest.approx(23e-6)}
    assert found[1]["predictions"][1]["po2"] == 20
    assert found[2]["predictions"][0]["cycles"] == 1 << 24


def test_thresholds_are_guesses_until_they_are_learned(learned, farm_cli):
    lines = farm_cli("model").splitlines()
    at = lines.index("serial: no second core makes faster")
    assert lines[at + 1].split() == ["prove", "2", "%", "of", "the", "step,", "a", "guess"]
    kinds = [CostModel(f"risc0/{verb}/cpu") for verb in ("prove", "lift", "join")]
    for model in kinds:
        for _ in range(20):
            model.observe(Features(po2=20), 100.0)
    learned.update({model.name: model for model in kinds})
    lines = farm_cli("model").splitlines()
    assert [line.split(maxsplit=2) for line in lines if line.startswith("  2^2")][-1] == [
        "2^20",
        "cycles",
        "never",
    ]
    found = json.loads(farm_cli("model", "--json"))["thresholds"]
    assert {one["learned"] for one in found if one["name"] == "batch"} == {True}
    assert {one["learned"] for one in found if one["name"] == "wide"} == {False}
