"""What workers tell the ledger: only the attempt that holds a step changes anything."""

import msgspec
import pytest
from hands import claim, hexed

from farm import keys
from farm.errors import CycleLimitReached, ExecutionDiffers
from farm.events import KeccakFound, SegmentFound
from farm.hints import Hints
from farm.job import JobSpec, State, new_id
from farm.ledger import Chunk
from farm.outbox import Envelope
from farm.session import Slot, StepState
from farm.steps import Hold
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord

REF = hexed("ref") + "-10"
ENVELOPE = Envelope("q", "t", {"attempt": 1}, "r")
pytestmark = pytest.mark.redis


@pytest.fixture
def job(ledger):
    limits = {"po2": 16, "cycle_limit": 1, "input_limit": 1}
    wanted = JobSpec(id=new_id(), image_id="11" * 32, program=REF, input=REF, **limits)
    ledger.submit(wanted, present=lambda ref: True)
    return ledger.status(wanted.id)


@pytest.fixture
def sent(book, job):
    def sent(step, attempt=1):
        record = StepState(state="SENT", attempt=attempt, slot="s")
        assert book.send(job.session, step, record, ENVELOPE)
        return job.session, step, attempt

    return sent


def slot(incarnation="1"):
    return Slot(name="s", kind="risc0", machine="m", cores=[0], incarnation=incarnation)


def test_a_step_is_leased_once(steps, sent):
    at = sent("prove:0-1")
    assert steps.lease(*at, "other", "1") is Hold.STALE
    assert steps.lease(*at, "s", "1") is Hold.LEASED
    assert steps.lease(*at, "s", "1") is Hold.STALE
    assert steps.renew(*at) is Hold.HELD


def test_a_call_that_was_sent_twice_is_one_lease(steps, sent, monkeypatch):
    monkeypatch.setattr("farm.steps.token_hex", lambda n: "same")
    at = sent("prove:0-1")
    assert [steps.lease(*at, "s", "1") for _ in range(2)] == [Hold.LEASED] * 2


def test_who_asks_again_with_the_same_token_has_the_lease(steps, sent):
    at = sent("prove:0-1")
    assert [steps.lease(*at, "s", "1", "token") for _ in range(2)] == [Hold.LEASED] * 2
    assert steps.lease(*at, "s", "1", "another") is Hold.STALE


def test_an_older_attempt_changes_nothing(steps, sent, book):
    old = sent("prove:0-1")
    steps.lease(*old, "s", "1")
    sent("prove:0-1", 2)
    before = book.session(old[0]).steps
    assert steps.lease(*old, "s", "1") is Hold.STALE
    assert steps.renew(*old) is Hold.LOST
    assert steps.done(*old, REF) is Hold.LOST
    assert steps.failed(*old, CycleLimitReached(1)) is Hold.LOST
    assert book.session(old[0]).steps == before
    assert book.beats() == {}


def test_a_report_is_an_event_and_counts_once(steps, sent, book):
    at = sent("prove:0-1")
    steps.lease(*at, "s", "1")
    seen = len(book.events("0", 0))
    assert [steps.done(*at, REF) for _ in range(2)] == [Hold.HELD] * 2
    assert steps.done(*at, "another") is Hold.LOST
    (noted,) = book.events("0", 0)[seen:]
    record = msgspec.json.decode(noted.fields["record"], type=StepState)
    assert (record.state, record.ref) == ("REPORTED", REF)
    assert book.beats() == {}


def test_work_for_nobody_is_cancelled(ledger, steps, sent, job):
    execute, prove, late = sent("execute"), sent("prove:0-1"), sent("prove:1-2")
    for at in (execute, prove):
        steps.lease(*at, "s", "1")
    ledger.cancel(job.id)
    record = SegmentRecord(REF, 16, claim(0))
    assert steps.lease(*late, "s", "1") is Hold.CANCELLED
    assert steps.renew(*prove) is Hold.CANCELLED
    assert steps.done(*prove, REF) is Hold.CANCELLED
    assert steps.segment(execute[0], 1, 0, record) is Hold.CANCELLED


def test_a_keccak_request_may_move_but_not_change(steps, sent, book):
    session, *_ = sent("execute")
    assert steps.keccak(session, 1, 0, KeccakRecord(REF, 14, hexed("it"))) is Hold.LOST
    steps.lease(session, "execute", 1, "s", "1")
    moved = KeccakRecord(hexed("elsewhere") + "-7", 14, hexed("it"))
    for record in (KeccakRecord(REF, 14, hexed("it")), moved):
        assert steps.keccak(session, 1, 0, record) is Hold.HELD
    facts = book.session(session)
    assert (facts.keccaks, facts.segments) == ({0: moved}, {})
    with pytest.raises(ExecutionDiffers, match="request 0 differs"):
        steps.keccak(session, 1, 0, KeccakRecord(REF, 14, hexed("other")))
    assert steps.keccak(session, 2, 0, moved) is Hold.LOST


def test_requests_and_segments_are_told_apart(steps, sent, book):
    session, *_ = sent("execute")
    steps.lease(session, "execute", 1, "s", "1")
    request, segment = KeccakRecord(REF, 17, hexed("it")), SegmentRecord(REF, 16, claim(0))
    steps.keccak(session, 1, 0, request)
    steps.segment(session, 1, 0, segment)
    found = [Hints(book).of(noted, ()) for noted in book.events("0", 0)]
    assert KeccakFound(session, 1, 0, request) in found
    assert SegmentFound(session, 1, 0, segment) in found
    assert steps.proof_po2(session, "keccak:0-1") == 17
    assert steps.proof_po2(session, "prove:0-1") == 16
    book.discard(session)
    facts = book.session(session)
    assert not facts.keccaks and not facts.segments


def test_a_segment_may_move_but_not_change(steps, sent, book):
    session, *_ = sent("execute")
    steps.lease(session, "execute", 1, "s", "1")
    moved = SegmentRecord(hexed("elsewhere") + "-7", 16, claim(0))
    for record in (SegmentRecord(REF, 16, claim(0)), moved):
        assert steps.segment(session, 1, 0, record) is Hold.HELD
    assert book.session(session).segments == {0: moved}
    with pytest.raises(ExecutionDiffers, match="segment 0 differs"):
        steps.segment(session, 1, 0, SegmentRecord(REF, 16, claim(1)))


def test_the_end_of_an_execution_is_kept(steps, sent, book):
    session, *_ = sent("execute")
    steps.lease(session, "execute", 1, "s", "1")
    ends = {"image_id": "", "segments": 1, "sys_exit": 0, "user_exit": 0, "cycles": {}}
    record = ExecutedRecord(**ends, claim=claim(0), journal=REF, stdout="", stderr="")
    assert [steps.executed(session, 1, record) for _ in range(2)] == [Hold.HELD] * 2
    assert book.session(session).executed == record
    assert steps.segment(session, 1, 1, SegmentRecord(REF, 16, claim(0))) is Hold.LOST


def test_a_slot_beats_until_it_is_given_up(steps, book):
    steps.slot_up(slot())
    assert steps.slot_beat(slot()) is Hold.HELD
    assert steps.slot_beat(slot("2")) is Hold.LOST
    assert book.slots() == [slot()]
    assert not book.slot_gone("s", "2")
    assert book.slot_gone("s", "1")
    assert steps.slot_beat(slot()) is Hold.LOST
    steps.slot_up(slot())
    assert steps.slot_down(slot("2")) is Hold.LOST
    assert steps.slot_down(slot()) is Hold.HELD
    assert book.slots() == []


def trace(ledger, chunks=2):
    id = new_id("b")
    made = [Chunk(f"trace:{n}-{n + 1}", ENVELOPE) for n in range(chunks)]
    assert ledger.trace_submit(id, "p", chunks, made)
    assert not ledger.trace_submit(id, "p", chunks, made)
    return id


def test_a_trace_batch_ends_with_its_last_chunk(ledger, steps):
    id = trace(ledger)
    for number, step in enumerate(["trace:0-1", "trace:1-2"]):
        assert steps.lease(id, step, 1, "any", "1") is Hold.LEASED
        assert steps.trace_done(id, step, 1, f"ref {number}") is Hold.HELD
        assert steps.trace_done(id, step, 1, "another") is not Hold.HELD
    view = ledger.trace_view(id)
    assert (view.state, view.done) == (State.SUCCEEDED, 2)
    assert view.nodes == {"trace:0-1": "ref 0", "trace:1-2": "ref 1"}
    changes = ledger.changes(id)
    assert [(change.state, change.done) for change in changes] == [
        (State.RUNNING, 0),
        (State.RUNNING, 1),
        (State.SUCCEEDED, 2),
    ]
    assert ledger.changes(id, changes[0].id)[0] == changes[1]


def test_a_cancelled_batch_is_no_ones_work(ledger, steps):
    id = trace(ledger)
    assert ledger.trace_cancel(id)
    assert not ledger.trace_cancel(id)
    assert steps.lease(id, "trace:0-1", 1, "any", "1") is Hold.CANCELLED
    assert ledger.trace_view(id).error().code == "JobAborted"


def test_a_batch_is_forgotten_with_all_its_keys(ledger, book):
    id = trace(ledger)
    ledger.trace_forget(id)
    assert book.read("KEYS", f"*{id}*") == []
    assert not book.read("EXISTS", keys.BATCHES)
