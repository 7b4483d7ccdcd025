"""The commands that look after jobs and a farm's health, as one types them."""

import json

import pytest

from farm import cli_print, doctor
from farm.errors import LedgerDown, WrongStore
from farm.finding import bad, ok, warn
from farm.settings import Settings


def test_a_table_is_as_wide_as_its_cells():
    lines = cli_print.columns(("a", "b", ""), [("1", "22222", "text"), ("333", "4", "")])
    assert lines == ["a    b", "1    22222  text", "333  4"]


def test_a_state_that_there_is_not_is_one_line(farm_cli):
    code, out, err = farm_cli("ls", "--state", "done")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "state 'done' is not one of buffered, accepted, running" in err


@pytest.mark.parametrize(("found", "code"), [([ok("a", "b")], 0), ([warn("a", "b", "c")], 0)])
def test_what_could_be_better_is_no_failure(monkeypatch, farm_cli, found, code):
    monkeypatch.setattr(doctor, "examine", lambda settings: found)
    assert farm_cli("doctor")[0] == code


def test_the_doctor_says_what_to_do_and_exits_1_when_something_is_bad(monkeypatch, farm_cli):
    found = [ok("host", "there"), bad("store", "another one", "mount it")]
    monkeypatch.setattr(doctor, "examine", lambda settings: found)
    code, out, err = farm_cli("doctor")
    assert (code, err) == (1, "")
    assert out == "ok    host         there\nbad   store        another one -> mount it\n"
    code, out, _ = farm_cli("doctor", "--json")
    assert json.loads(out)[1] == {
        "name": "store",
        "level": "bad",
        "said": "another one",
        "step": "mount it",
    }


def test_what_a_check_raises_is_a_finding(monkeypatch, tmp_path):
    def fails(error):
        def check(settings):
            raise error
            yield

        return check

    monkeypatch.setattr(doctor, "MACHINE", {"system": lambda settings: iter([ok("system", "x")])})
    store = fails(WrongStore("redis://there", "a", "b", "c"))
    monkeypatch.setattr(doctor, "FARM", {"store": store, "slots": fails(LedgerDown("there", "x"))})
    found = doctor.examine(Settings(state=tmp_path))
    assert [(one.name, one.level) for one in found] == [
        ("system", "ok"),
        ("store", "bad"),
        ("slots", "bad"),
    ]
    assert found[2].step == "farm up --detach"


def test_without_servers_nobody_is_asked_further(monkeypatch, tmp_path):
    asked = []

    def servers(settings):
        yield bad("ledger", "is away", "start it")

    monkeypatch.setattr(doctor, "MACHINE", {})
    monkeypatch.setattr(doctor, "FARM", {"servers": servers, "clock": asked.append})
    assert [one.name for one in doctor.examine(Settings(state=tmp_path))] == ["ledger"]
    assert asked == []
