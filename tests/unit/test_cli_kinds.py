"""Jobs of other kinds than the usual one, as one types them."""

import json

import pytest
from fake_farm import change, view

from farm import played, submission
from farm.blobs import reference
from farm.errors import GuestPanicked
from farm.job import State

IMAGE = "ab" * 32
CYCLES = {"user": 2873, "total": 32768}


@pytest.fixture
def farm(typed_farm, monkeypatch):
    monkeypatch.setattr(submission, "new_id", lambda: "j1")
    return typed_farm


def done(farm, receipt, state=State.SUCCEEDED, **fields):
    """Let the job that comes next have ended so."""
    submit = farm.ledger.submit

    def ended(spec, **given):
        refs = {"receipt": farm.blobs.put(receipt), "journal": farm.blobs.put(b"journal")}
        farm.ledger.views[spec.id] = view(spec, state, **refs | fields)
        farm.ledger.script = [[change(1, state)]]
        return submit(spec, **given)

    farm.ledger.submit = ended


def test_an_execution_prints_its_cycles_and_that_nothing_is_proved(farm, farm_cli, guest):
    done(farm, b"journal", stats={"segments": 2, "cycles": CYCLES})
    code, out, err = farm_cli("prove", guest, "--mode", "execute")
    assert code == 0 and farm.ledger.specs[0].kind == "execute"
    cycles = "cycles 2,873 user, 32,768 total; segments 2"
    said = f"journal {b'journal'.hex()}\nimage id {IMAGE}\nonly executed, nothing is proved: "
    assert (out, err) == (f"{said}{cycles}\n", "j1: succeeded\n")
    _, out, _ = farm_cli("prove", guest, "--mode", "execute", "--json")
    assert json.loads(out)["cycles"] == CYCLES


def test_an_execution_has_no_receipt_to_write(farm, farm_cli, guest, tmp_path):
    done(farm, b"journal")
    said = farm_cli("prove", guest, "--mode", "execute", "-o", tmp_path / "a")
    assert said[0] == 1 and said[2].startswith("farm: job j1 was only executed")
    assert not (tmp_path / "a").exists()


def test_a_trace_says_that_nothing_is_proved(farm, farm_cli, guest, tmp_path):
    done(farm, played.write(IMAGE, "00" * 32, 7, b"journal"))
    code, out, _ = farm_cli("prove", guest, "--mode", "trace", "-o", tmp_path / "a")
    assert code == 0 and "nothing is proved" in out and "receipt verified" not in out
    said = farm_cli("receipt", "j1", "--json")
    assert json.loads(said[1])["kind"] == "trace"


def test_what_the_guest_relies_on_is_a_file_or_a_job(farm, farm_cli, guest, tmp_path):
    file = tmp_path / "a.receipt"
    file.write_bytes(b"receipt")
    done(farm, b"receipt")
    assert farm_cli("submit", guest, "--receipt", "composite", "--assumption", file)[0] == 0
    assert farm_cli("submit", guest, "--assumption", file, "--assumption", "j1")[0] == 1
    first, *_ = farm.ledger.specs
    assert (first.receipt, first.assumptions) == ("composite", [reference(b"receipt")])
    code, _, err = farm_cli("submit", guest, "--assumption", "j9")
    assert (code, err) == (1, "farm: no job j9 in this farm\n")
    code, _, err = farm_cli("submit", guest, "--assumption", tmp_path)
    assert (code, err.count("\n")) == (1, 1) and "cannot read" in err


def test_logs_print_what_the_guest_wrote_and_nothing_else(farm, farm_cli):
    spec = farm.submit(b"program").farm.ledger.specs[0]
    refs = [farm.blobs.put(b"out\n"), farm.blobs.put(b"err")]
    error = GuestPanicked("why").keeping(refs)
    farm.ledger.views["j1"] = view(spec, State.FAILED, code=error.code, facts=list(error.facts))
    assert farm_cli("logs", "j1") == (0, "out\n", "")
    assert farm_cli("logs", "j1", "--stderr") == (0, "err", "")
    assert farm_cli("logs", "j9") == (1, "", "farm: no job j9 in this farm\n")
