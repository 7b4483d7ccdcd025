"""`farm model`: what the farm has learned, for people and for scripts."""

import json

import pytest
from fake_farm import FakeLedger

from farm import Farm, client
from farm import settings as config
from farm.cli import main
from farm.cost import CostModel
from farm.terms import Features


@pytest.fixture
def learned(tmp_path, monkeypatch):
    made = Farm(settings=config.load(state=tmp_path))
    made.ledger = FakeLedger()
    models = {}
    made.ledger.models = lambda: models
    monkeypatch.setattr(client, "Farm", lambda: made)
    return models


@pytest.fixture
def farm_cli(capsys):
    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        captured = capsys.readouterr()
        assert (ended.value.code, captured.err) == (0, "")
        return captured.out

    return run


def test_before_anything_ran_it_says_so(learned, farm_cli):
    assert farm_cli("model") == "no step has been measured yet\n"
    assert json.loads(farm_cli("model", "--json")) == []


def test_each_model_says_what_steps_cost_and_how_far_it_errs(learned, farm_cli):
    trace, lift = CostModel("trace/fib.v0/numpy"), CostModel("risc0/lift/cpu/wall")
    trace.observe(Features(rows=1, steps=100), 46e-6)
    learned.update({trace.name: trace, lift.name: lift})
    lines = farm_cli("model").splitlines()
    assert lines[0] == "trace/fib.v0/numpy: 1 observations, error 50.0%"
    assert [line.split() for line in lines[4:]] == [
        ["risc0/lift/cpu/wall:", "0", "observations"],
        ["1", "core", "96", "s"],
        ["2", "cores", "49", "s"],
    ]


def test_a_script_gets_features_and_seconds(learned, farm_cli):
    for name in ("trace/fib.v0/kernel", "risc0/prove/cpu", "risc0/execute/cpu"):
        learned[name] = CostModel(name)
    found = json.loads(farm_cli("model", "--json"))
    assert [(one["name"], one["observations"], one["error"]) for one in found] == [
        (name, 0, None) for name in learned
    ]
    proof = found[0]["predictions"][0]
    assert proof == {"size": "100 steps", "rows": 1, "steps": 100, "seconds": pytest.approx(23e-6)}
    assert found[1]["predictions"][1]["po2"] == 20
    assert found[2]["predictions"][0]["cycles"] == 1 << 24
