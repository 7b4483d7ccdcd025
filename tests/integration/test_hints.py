"""What the scheduler is told of jobs and sessions that cannot be read: an end, never a crash."""

import pytest
from hands import spec, submit

from farm import keys
from farm.assign import Limits
from farm.events import ChunkWaits, JobJoined, Orphaned, SessionSeen
from farm.hints import Hints
from farm.instructions import Finish
from farm.job import State
from farm.outbox import Envelope
from farm.scheduler import Scheduler
from farm.snapshot import Noted

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
