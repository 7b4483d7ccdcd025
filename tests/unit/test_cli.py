"""The command line: what goes to stdout, what to stderr, and the exit code."""

import json

import msgspec
import pytest
from fake_farm import change, view, work_trace

from farm import parcels, submission, u32, u64, verify, words
from farm.errors import BadInput, HostMissing, WrongClaim
from farm.inclusion import Inclusion
from farm.job import JobSpec, State
from farm.stdin import guest_stdin
from farm.verify import Verified

IMAGE = "ab" * 32
SPEC = JobSpec(
    id="j1", image_id=IMAGE, program="p", input="i", po2=16, cycle_limit=1, input_limit=1
)


@pytest.fixture
def farm(typed_farm, monkeypatch):
    def work(messages):
        for message in messages:
            work_trace(typed_farm.ledger, typed_farm.scratch, message)

    monkeypatch.setattr(typed_farm, "_send", work)
    monkeypatch.setattr(parcels, "SMALL_ROWS", 0)  # all messages are the client's
    return typed_farm


def succeed(farm, id="j1"):
    ref = farm.blobs.put(b"receipt")
    spec = msgspec.structs.replace(SPEC, id=id)
    farm.ledger.views[id] = view(spec, State.SUCCEEDED, receipt=ref, journal=ref)
    farm.ledger.script = [[change(1, text="accepted"), change(2, State.SUCCEEDED)]]


def test_submit_prints_the_id_and_nothing_else(farm, farm_cli, guest):
    code, out, err = farm_cli("submit", guest, "--words", "u64:0 u64:1 10", "--po2", 16)
    (spec,) = farm.ledger.specs
    assert (code, out, err) == (0, f"{spec.id}\n", "")
    assert farm.blobs.get(spec.input) == words(u64(0), u64(1), u32(10))
    assert spec.po2 == 16


def test_labels_are_given_by_name(farm, farm_cli, guest):
    assert farm_cli("submit", guest, "--label", "team=a", "--label", "run=x=1")[0] == 0
    assert farm.ledger.specs[0].labels == {"team": "a", "run": "x=1"}
    code, _, err = farm_cli("submit", guest, "--label", "team")
    assert code == 1 and "'team' is not NAME=VALUE" in err


def test_prove_waits_and_writes_the_receipt(farm, farm_cli, guest, tmp_path, monkeypatch):
    monkeypatch.setattr(submission, "new_id", lambda: "j1")
    succeed(farm)
    out_file = tmp_path / "a.receipt"
    code, out, err = farm_cli("prove", guest, "-o", out_file)
    assert code == 0 and out_file.read_bytes() == b"receipt"
    assert f"journal {b'journal'.hex()}\nimage id {IMAGE}\n" in out
    assert err == "j1: accepted\nj1: succeeded\n"


def test_receipt_as_json_is_one_document(farm, farm_cli):
    succeed(farm)
    code, out, err = farm_cli("receipt", "j1", "--json")
    assert code == 0 and err == ""
    assert json.loads(out) == {
        "job": "j1",
        "image_id": IMAGE,
        "kind": "succinct",
        "bytes": 7,
        "journal": b"journal".hex(),
        "receipt": "",
    }


def test_a_farm_error_is_one_line_and_exit_1(farm, farm_cli):
    assert farm_cli("receipt", "j9") == (1, "", "farm: no job j9 in this farm\n")


def test_without_a_farm_every_command_says_so(tmp_path, monkeypatch, farm_cli, guest):
    monkeypatch.setenv("FARM_STATE", str(tmp_path))
    for command in (["status"], ["receipt", "j1"], ["submit", guest], ["prove", "trace", "fib.v0"]):
        code, out, err = farm_cli(*command)
        assert (code, out) == (1, "")
        assert err.count("\n") == 1 and "no farm is up" in err


def test_status_of_a_job_names_its_error(farm, farm_cli):
    failed = {"code": "GuestPanicked", "facts": ["boom"]}
    farm.ledger.views["j1"] = view(SPEC, State.FAILED, **failed)
    code, out, _ = farm_cli("status", "j1")
    assert code == 0 and out.startswith("job j1: failed, guest panicked: boom\n")
    _, out, _ = farm_cli("status", "j1", "--json")
    assert json.loads(out)["error"] == "guest panicked: boom"
    _, out, _ = farm_cli("status")
    assert out.startswith("job j1: failed, submitted ")


def test_cancel_tells_whether_it_came_in_time(farm, farm_cli):
    farm.ledger.views["j1"] = view(SPEC, State.RUNNING)
    farm.ledger.views["j2"] = view(SPEC, State.TIMED_OUT)
    assert farm_cli("cancel", "j1")[1] == "j1 is cancelled\n"
    assert farm_cli("cancel", "j2")[1] == "j2 had ended already: timed out\n"
    code, out, err = farm_cli("cancel", "j1", "j3", "j2")
    assert (code, err) == (1, "farm: no job j3 in this farm\n")
    assert out == "j1 is cancelled\nj2 had ended already: timed out\n"


def test_cancelling_again_says_that_it_is_cancelled(farm, farm_cli):
    farm.ledger.views["j1"] = view(SPEC, State.ABORTED)
    assert farm_cli("cancel", "j1") == (0, "j1 is cancelled\n", "")
    assert json.loads(farm_cli("cancel", "j1", "--json")[1]) == {"job": "j1", "cancelled": True}


def test_trace_proofs_are_made_and_a_sample_verified(farm, farm_cli):
    code, out, err = farm_cli("prove", "trace", "fib.v0", "--rounds", 10, "--json")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert (facts["count"], facts["failed"], facts["verified"]) == (1, 0, 1)
    assert facts["proofs"][0]["output"] == 55


def test_verify_needs_no_farm(monkeypatch, farm_cli, tmp_path):
    asked = []

    def check(receipt, image_id, settings):
        asked.append((receipt, image_id))
        return Verified("succinct", "cd" * 32, b"\x37")

    monkeypatch.setattr(verify, "verify", check)
    file = tmp_path / "a.receipt"
    file.write_bytes(b"receipt")
    journal = tmp_path / "journal"
    code, out, err = farm_cli("verify", file, "--image-id", IMAGE.upper(), "--journal", journal)
    assert (code, out, err) == (0, "journal 37\nverified, succinct\n", "")
    assert asked == [(b"receipt", IMAGE)] and journal.read_bytes() == b"\x37"


def test_verify_tells_the_root_of_a_members_set(monkeypatch, farm_cli, tmp_path):
    one = Inclusion(IMAGE, IMAGE, b"\x37", [])
    monkeypatch.setattr(
        verify, "verify", lambda *_: Verified("succinct", "cd" * 32, one.root_journal)
    )
    file = tmp_path / "a.inclusion"
    file.write_bytes(one.encode())
    (root := tmp_path / "root").write_bytes(b"receipt")
    asked = ("verify", file, "--image-id", IMAGE, "--set-builder", IMAGE, "--root", root)
    code, out, err = farm_cli(*asked)
    assert (code, err) == (0, "") and out.splitlines()[1] == f"root {one.root}"
    assert json.loads(farm_cli(*asked, "--json")[1])["root"] == one.root


def test_verify_takes_no_set_for_an_ordinary_receipt(farm_cli, tmp_path):
    file = tmp_path / "a.receipt"
    file.write_bytes(b"receipt")
    code, out, err = farm_cli("verify", file, "--image-id", IMAGE, "--root", file)
    assert (code, out) == (1, "") and "no inclusion receipt" in err


def test_verify_says_why_not(monkeypatch, farm_cli, tmp_path):
    def check(*_):
        raise WrongClaim("one program", "another")

    monkeypatch.setattr(verify, "verify", check)
    file = tmp_path / "a.receipt"
    file.write_bytes(b"receipt")
    said = farm_cli("verify", file, "--image-id", IMAGE)
    assert said == (1, "", "farm: receipt proves one program, not another\n")


@pytest.mark.parametrize(
    ("file", "image", "text"),
    [("none", IMAGE, "cannot read none"), ("none", "xyz", "'xyz' is not 64 hex digits")],
)
def test_verify_of_nonsense_is_one_line(farm_cli, file, image, text):
    code, out, err = farm_cli("verify", file, "--image-id", image)
    assert (code, out, err.count("\n")) == (1, "", 1) and text in err


def test_version_says_that_the_host_is_missing(monkeypatch, farm_cli):
    def missing(settings):
        raise HostMissing("nowhere")

    monkeypatch.setattr(verify, "host", missing)
    code, out, _ = farm_cli("version")
    assert code == 0
    assert out.startswith("farm ") and "zkVM 3.0\n" in out and "no farm-host at nowhere" in out


def test_version_asks_the_host(monkeypatch, farm_cli, standin):
    monkeypatch.setenv("FARM_HOST", standin())
    _, out, _ = farm_cli("version", "--json")
    assert json.loads(out)["zkvm"] == "3.0.6"


def test_all_commands_are_there(farm_cli):
    code, out, _ = farm_cli("--help")
    commands = ["up", "down", "prove", "submit", "status", "receipt", "cancel", "verify", "version"]
    commands += ["ls", "rm", "logs", "doctor", "sweep"]
    assert code == 0 and all(f" {name} " in out for name in commands)
    assert " scheduler " not in out and " sweeper " not in out


def test_wrong_usage_exits_with_2(farm_cli):
    assert farm_cli("prove")[0] == 2
    assert farm_cli("nothing")[0] == 2


def test_stdin_is_a_file_or_words(tmp_path):
    file = tmp_path / "input"
    file.write_bytes(b"raw")
    assert guest_stdin(file, None) == b"raw"
    assert guest_stdin(None, ['u64:1 str:"a b"', "7"]) == words(u64(1), "a b", 7)
    assert guest_stdin(None, None) == b""
    with pytest.raises(BadInput, match="not by both"):
        guest_stdin(file, ["1"])
    with pytest.raises(BadInput, match="cannot read"):
        guest_stdin(tmp_path / "none", None)
    with pytest.raises(BadInput, match="No closing quotation"):
        guest_stdin(None, ['str:"a'])


def test_many_trace_proofs_are_only_counted(farm, farm_cli):
    code, out, err = farm_cli("prove", "trace", "sha256.v0", "--count", 500)
    assert code == 0 and out.startswith("500 proofs in ") and out.endswith(" 5 verified\n")
    assert err == "500 x sha256.v0: succeeded\n"


def test_trace_proofs_that_failed_fail_the_command(farm, farm_cli):
    code, out, _ = farm_cli("prove", "trace", "fib.v0", "--rounds", 0)
    assert code == 1 and out.startswith("error item 0: fib.v0 needs at least one round\n0 proofs")
