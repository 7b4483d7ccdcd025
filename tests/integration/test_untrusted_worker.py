"""A worker that lies: real receipts, the real verifier, and no lie is taken for an answer."""

import pytest
from goldens import GOLDEN, IMAGES, SESSIONS
from hands import Hands, Letterbox, ended, spec, submit, until

from farm import carry, keys, verify
from farm.claim import Claim
from farm.job import State
from farm.settings import Settings
from farm.wire import ExecutedRecord, SegmentRecord

ONE = SESSIONS["one"]


def golden(file):
    return (GOLDEN / file).read_bytes()


LIFT = golden(ONE["lifts"][0])
LIES = {
    "of another input": golden(SESSIONS["seven"]["lifts"][0]),
    "of another program": golden(SESSIONS["compose"]["lifts"][0]),
    "of more than was asked": golden(SESSIONS["two"]["root"]),
    "not lifted": golden(ONE["proofs"][0]),
    "cut short": LIFT[: len(LIFT) // 2],
    "with one bit flipped": LIFT[:5000] + bytes([LIFT[5000] ^ 1]) + LIFT[5001:],
    "fake": golden("receipt-fake.bin"),
    "empty": b"",
}


class Prover(Hands):
    """Works on the golden session `one`; `lies` are given before the truth, one an attempt."""

    lies = ()

    def execute(self, message):
        done, put = ONE["done"], self.blobs.put
        claim = Claim(**done["claim"])
        record = SegmentRecord(put(golden(ONE["segments"][0])), 15, claim)
        self.steps.segment(message.session, message.attempt, 0, record)
        exits = {name: done[name] for name in ("image_id", "sys_exit", "user_exit", "cycles")}
        files = {"journal": put(golden(ONE["journal"])), "stdout": "", "stderr": ""}
        executed = ExecutedRecord(segments=1, claim=claim, **exits, **files)
        self.steps.executed(message.session, message.attempt, executed)

    def do(self, message):
        if message.kind != "prove":
            super().do(message)
            return
        self.lease(message)
        said = (*self.lies, LIFT)[min(message.attempt - 1, len(self.lies))]
        self.steps.done(message.session, message.step, message.attempt, self.blobs.put(said))


@pytest.fixture
def settings(tmp_path, ledger_url, host):
    return Settings(state=tmp_path / "state", ledger_url=ledger_url, host=host, beat_seconds=0.1)


@pytest.fixture
def prover(steps, blobs, monkeypatch):
    with Prover(steps, blobs) as prover:
        monkeypatch.setattr(carry, "Post", Letterbox(prover.send))
        yield prover


def asked(ledger, blobs):
    return submit(ledger, spec(blobs, image_id=IMAGES["fibonacci"]))


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_refused_and_the_truth_is_bound(ledger, book, blobs, prover, start, settings, lie):
    book.release()
    prover.lies = (LIES[lie],)
    start()
    view = ended(ledger, asked(ledger, blobs))
    assert view.stats["repeated"] == 1
    bound = book.read("HGET", keys.nodes(view.session), "prove:0-1")
    assert blobs.get(bound) == LIFT
    shown = verify.verify(blobs.get(view.receipt), IMAGES["fibonacci"], settings)
    assert int.from_bytes(shown.journal, "little") == 55


def test_nothing_but_lies_ends_the_job_and_keeps_nothing(ledger, book, blobs, prover, start):
    book.release()
    prover.lies = (LIES["of another input"],) * 9
    start()
    id = asked(ledger, blobs)
    view = until(lambda: (view := ledger.status(id)).state.ended and view)
    assert (view.state, view.code, view.receipt) == (State.FAILED, "WrongClaim", "")
    assert not book.read("EXISTS", keys.nodes(view.session))
