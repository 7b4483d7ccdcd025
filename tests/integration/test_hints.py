"""What the scheduler is told of jobs and sessions that cannot be read: an end, never a crash."""

import pytest
from hands import spec, submit
from structlog.testing import capture_logs

from farm import keys
from farm.assign import Limits
from farm.events import ChunkWaits, JobJoined, Orphaned, SessionSeen
from farm.hints import Hints
from farm.instructions import Finish
from farm.job import State
from farm.ledger import Chunk
from farm.outbox import Envelope
from farm.scheduler import Scheduler
from farm.session import Slot, StepState
from farm.snapshot import Noted
from farm.steps import Hold

pytestmark = pytest.mark.redis


def finishes(found):
    scheduler = Scheduler(Limits(4, 60, 1 << 40))
    return [
        done for event in found if isinstance(event, Orphaned) for done in scheduler.handle(event)
    ]


@pytest.mark.parametrize(
    "given", [{"priority": 1.5}, {"deadline": "tomorrow"}, {"po2": "16"}, {"cycle_limit": 1.5}]
)
def test_a_job_that_cannot_be_read_ends_with_a_reason(ledger, book, blobs, given):
    bad, good = submit(ledger, spec(blobs, namespace="b", **given)), submit(ledger, spec(blobs))
    found = list(Hints(book).everything())
    (seen,) = [e for e in found if isinstance(e, SessionSeen) and e.facts.waiters]
    assert [job.id for job in seen.facts.waiters] == [good]
    (end,) = finishes(found)
    assert isinstance(end, Finish)
    assert (end.job, end.state) == (bad, State.FAILED)
    assert "cannot be read" in str(end.error)
    assert book.finish(end)
    assert book.open_jobs() == {good}
    assert book.read("HGET", keys.job(bad), "code") == "JobFailed"


def test_a_bad_job_that_joins_a_session_leaves_the_others_alone(ledger, book, blobs):
    good = submit(ledger, spec(blobs))
    hints = Hints(book)
    (seen,) = [e for e in hints.everything() if isinstance(e, SessionSeen)]
    bad = submit(ledger, spec(blobs, priority=1.5))
    events = [hints.of(one, {seen.facts.name}) for one in book.events("0", 0)]
    assert [e.job.id for e in events if isinstance(e, JobJoined)] == [good]
    (end,) = finishes(hints.orphans({good}))
    assert end.job == bad and book.finish(end)
    assert [job.id for job in book.session(seen.facts.name).waiters] == [good]


def test_an_open_job_that_is_gone_is_passed_over(ledger, book, blobs):
    id = submit(ledger, spec(blobs))
    book.client.delete(keys.job(id))
    assert list(Hints(book).orphans(set())) == []


@pytest.mark.parametrize(
    "message", ["{", "[]", '{"queue": "q", "task": "t", "kwargs": {}, "repr": ""}']
)
def test_a_small_chunk_that_cannot_be_read_is_dropped(book, message):
    assert Hints(book).of(Noted("1-0", {"type": "chunk", "message": message}), ()) is None


def test_a_small_chunk_waits_with_its_size(book):
    kwargs = {"args": {"rows": 10, "steps": 400}}
    message = Envelope("trace", "trace", kwargs, "r")
    noted = Noted("1-0", {"type": "chunk", "message": message.json()})
    assert Hints(book).of(noted, ()) == ChunkWaits(message, 10, 400)
    wrong = message.json().replace("10", "[]")
    assert Hints(book).of(Noted("1-0", {"type": "chunk", "message": wrong}), ()) is None


UNREAD = ["", "{", "[]", '{"name": 1}', "null"]


def slot(number):
    return Slot(name=f"s{number}", kind="risc0", machine="m", incarnation="1")


@pytest.mark.parametrize("text", UNREAD)
def test_a_slot_that_cannot_be_read_is_passed_over_and_announces_itself_again(
    ledger, book, steps, text
):
    for number in range(2):
        steps.slot_up(slot(number))
    book.client.hset(keys.SLOTS, "s0", text)
    with capture_logs() as said:
        assert book.slots() == ledger.slots() == [slot(1)]
    assert [(line["event"], line["slot"]) for line in said] == [("slot not read", "s0")]
    assert steps.slot_beat(slot(0)) is Hold.LOST
    steps.slot_up(slot(0))
    assert {one.name for one in book.slots()} == {"s0", "s1"}


@pytest.mark.parametrize("text", UNREAD)
def test_a_chunk_that_cannot_be_read_leaves_the_others_alone(ledger, book, text):
    envelope = Envelope("trace", "trace", {}, "")
    ledger.trace_submit("b1", "p", 2, [Chunk(f"trace:{n}-{n + 1}", envelope) for n in range(2)])
    book.client.hset(keys.steps("b1"), "trace:0-1", text)
    with capture_logs() as said:
        found = book.chunks("b1")
    assert list(found) == ["trace:1-2"]
    assert [(line["event"], line["step"]) for line in said] == [("step not read", "trace:0-1")]


def test_a_session_with_a_step_that_cannot_be_read_ends_with_a_reason(book, blobs, ledger):
    id = submit(ledger, spec(blobs))
    name = ledger.status(id).session
    book.send(name, "execute", StepState(state="SENT", attempt=1), Envelope("q", "t", {}, "r"))
    book.client.hset(keys.steps(name), "execute", "{")
    (end,) = finishes(Hints(book).everything())
    assert (end.job, end.state) == (id, State.FAILED)


@pytest.mark.parametrize("field", ["seq", "priority"])
def test_a_job_without_a_field_ends_with_a_reason(ledger, book, blobs, field):
    bad, good = submit(ledger, spec(blobs, namespace="b")), submit(ledger, spec(blobs))
    book.client.hdel(keys.job(bad), field)
    (end,) = finishes(Hints(book).everything())
    assert (end.job, end.state) == (bad, State.FAILED)
    assert book.finish(end) and book.open_jobs() == {good}


def test_a_message_that_cannot_be_read_holds_none_up(book):
    envelope = Envelope("q", "t", {}, "r")
    book.client.rpush(keys.OUTBOX, "{", envelope.json())
    with capture_logs() as said:
        assert book.outbox() == [None, envelope]
    assert [line["event"] for line in said] == ["message not read"]
