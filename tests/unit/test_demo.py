"""The demo: its table, what it says is missing, its exit code, and that it puts everything away."""

import os
import signal
from pathlib import Path

import pytest
from fake_farm import FakeLedger, MemoryBlobs, MemoryScratch, change, view, work_trace

from farm import background, demo, demo_work, parcels, verify
from farm import settings as config
from farm.client import Farm
from farm.demo_work import Row
from farm.errors import HostMismatch, HostMissing
from farm.job import State
from farm.running import Status
from farm.verify import Verified


class Stage:
    """What the demo stands on here: no process, no proof."""

    def __init__(self, patch):
        self.started, self.stopped, self.plain = [], [], (50.0, b"plain receipt")
        self.journal = demo_work.journal()
        patch.setattr(demo_work, "TRACES", 20_000)
        patch.setattr(background, "start", self.start)
        patch.setattr(background, "stop", lambda settings, now: self.stopped.append(now))
        patch.setattr(demo, "_check_prover", lambda settings: None)
        patch.setattr(verify, "image_id", lambda *_: "ab" * 32)
        patch.setattr(verify, "verify", lambda *_: Verified("succinct", "", self.journal))
        patch.setattr(demo_work, "_plain", lambda *_: self.plain)
        patch.setattr(demo, "Farm", self.farm)
        patch.setattr(parcels, "SMALL_ROWS", 0)  # all messages are the client's

    def start(self, settings, *, leashed):
        assert leashed
        self.started.append(settings)
        settings.state.joinpath("password").write_text("secret")
        password = str(settings.state / "password")
        return Status(1, True, [], "http://127.0.0.1:5555", password, [])

    def farm(self, settings):
        farm = Farm(settings=settings.model_copy(update={"trace_cache": "off"}))
        farm.ledger, farm.blobs, farm.scratch = FakeLedger(), MemoryBlobs(), MemoryScratch()
        farm._send = lambda messages: [
            work_trace(farm.ledger, farm.scratch, message) for message in messages
        ]
        submit = farm.ledger.submit

        def answer(spec, **how):
            ref = farm.blobs.put(b"receipt")
            farm.ledger.views[spec.id] = view(spec, State.SUCCEEDED, receipt=ref)
            farm.ledger.script = [[change(1, State.SUCCEEDED)]]
            return submit(spec, **how)

        farm.ledger.submit = answer
        return farm


@pytest.fixture
def stage(monkeypatch):
    return Stage(monkeypatch)


def test_every_row_is_verified_and_compared(stage, capsys):
    assert demo.run(compare=True)
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if " yes " in line]
    assert len(rows) == 4 and "20,000" in rows[0]
    assert "plain prover 50.0 s, ratio 0.000" in out
    assert "Flower: http://127.0.0.1:5555 (user farm, password in " in out


def test_nothing_is_left_behind(stage):
    demo.run(compare=False)
    (settings,) = stage.started
    assert stage.stopped == [True] and not settings.state.exists()
    assert (settings.ledger_url, settings.segment_po2) == ("", 16)


def test_without_a_host_the_rest_is_shown(stage, monkeypatch, capsys):
    def missing(settings):
        raise HostMissing("nowhere")

    monkeypatch.setattr(demo, "_check_prover", missing)
    assert demo.run(compare=True)
    out = capsys.readouterr().out
    assert "RISC Zero proofs are left out: no farm-host at nowhere" in out
    assert out.count(" yes ") == 1


@pytest.mark.parametrize(("features", "proves"), [("cpu", True), ("verify", False)])
def test_a_host_that_only_verifies_does_not_count(standin, tmp_path, features, proves):
    settings = config.load(state=tmp_path, host=standin(FARM_STANDIN_FEATURES=features))
    if proves:
        demo._check_prover(settings)
    else:
        with pytest.raises(HostMismatch, match="speaks only verify"):
            demo._check_prover(settings)


def test_a_wrong_journal_fails_the_demo(stage, capsys):
    stage.journal = bytes(8)
    assert not demo.run(compare=True)
    assert "NO: wrong" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_farm_too(stage, monkeypatch, kind):
    before = signal.getsignal(kind)
    monkeypatch.setattr(demo_work, "traces", lambda farm: os.kill(os.getpid(), kind))
    with pytest.raises(KeyboardInterrupt):
        demo.run(compare=False)
    assert stage.stopped == [True] and not stage.started[0].state.exists()
    assert signal.getsignal(kind) is before


def test_a_row_in_texts():
    row = Row("x", 100_000, 0.5, 4_400_000, True)
    assert row.cells() == ("x", "100,000", "0.50", "200,000/s", "4,400,000", "yes")
    failed = Row("x", 1, 200.0, 0, False, "host died")
    assert failed.cells() == ("x", "1", "200.00", "0.0050/s", "0", "NO: host died")


def test_the_guest_is_in_the_checkout():
    assert Path(demo_work.BLOB).is_file()
