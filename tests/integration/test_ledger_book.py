"""What the scheduler writes: only under its own epoch, and each thing once."""

import pytest
from hands import hexed

from farm import keys
from farm.book import Book, OutOfStep, StaleEpoch
from farm.errors import CycleLimitReached
from farm.instructions import Close, Finish
from farm.job import JobSpec, State, new_id
from farm.outbox import Envelope
from farm.session import StepState

REF = hexed("ref") + "-10"
ENVELOPE = Envelope("q", "t", {"attempt": 1}, "r")
pytestmark = pytest.mark.redis


@pytest.fixture
def submit(ledger):
    def submit(**given):
        limits = {"po2": 16, "cycle_limit": 1, "input_limit": 1}
        known = {"id": new_id(), "image_id": "11" * 32, "program": REF, "input": REF}
        wanted = JobSpec(**known | limits | given)
        ledger.submit(wanted, present=lambda ref: True)
        return ledger.status(wanted.id)

    return submit


def sent(attempt=1):
    return StepState(state="SENT", attempt=attempt, slot="s")


def key_of(book, job):
    return book.read("HGET", keys.job(job.id), "key")


READ = {
    "hash": ("HGETALL",),
    "set": ("SMEMBERS",),
    "string": ("GET",),
    "list": ("LRANGE", 0, -1),
    "stream": ("XRANGE", "-", "+"),
    "zset": ("ZRANGE", 0, -1),
}


def dump(book):
    def read(key):
        command, *rest = READ[book.read("TYPE", key)]
        return book.read(command, key, *rest)

    return {key: read(key) for key in book.read("KEYS", "*")}


def test_one_holds_the_epoch_at_a_time(book, ledger_url):
    other = Book.at(ledger_url)
    assert other.acquire("other", 60) == 0
    book.hold(60)
    book.release()
    assert other.acquire("other", 60) == book.epoch + 1
    with pytest.raises(StaleEpoch, match="another one has taken over"):
        book.hold(60)


def test_a_scheduler_that_was_replaced_changes_nothing(book, ledger_url, submit):
    job = submit()
    key, name = key_of(book, job), job.session
    book.release()
    assert Book.at(ledger_url).acquire("other", 60)
    before = dump(book)
    end = (name, key, State.FAILED, CycleLimitReached(1))
    for write in (
        lambda: book.ack("1-0"),
        lambda: book.send(name, "execute", sent(), ENVELOPE),
        lambda: book.published(1),
        lambda: book.bind(name, "execute", 1, REF),
        lambda: book.give_up(name, "execute", 1, 1),
        lambda: book.unbind(name, "execute"),
        lambda: book.discard(name),
        lambda: book.close(Close(*end)),
        lambda: book.finish(Finish(job.id, *end)),
        lambda: book.reattach(book.waiting([job.id])[0], name),
        lambda: book.progress([job.id], text="x"),
        lambda: book.slot_gone("s", "1"),
        lambda: book.forget_beats(["x"]),
        lambda: book.trace_fail("b", CycleLimitReached(1)),
        book.release,
    ):
        with pytest.raises(StaleEpoch):
            write()
    assert dump(book) == before


def test_sending_records_and_queues_and_acknowledges_at_once(book, submit):
    job = submit()
    (event,) = book.events("0", 0)
    assert book.send(job.session, "execute", sent(), ENVELOPE, event.id)
    assert book.session(job.session).steps == {"execute": sent()}
    (message,) = book.outbox()
    assert message == ENVELOPE
    assert book.events("0", 0) == []
    book.published(1)
    assert book.outbox() == []


def test_what_is_said_twice_takes_nothing_out_that_was_not_sent(book, submit, monkeypatch):
    for image in ("22", "33", "44", "55"):
        message = Envelope("q", "t", {"image": image}, "r")
        book.send(submit(image_id=image * 32).session, "execute", sent(), message)
    calls = book.calls

    def twice(commands, **how):
        calls(commands, **how)  # its answer gets lost, and the client library sends it again
        return calls(commands, **how)

    monkeypatch.setattr(book, "calls", twice)
    for _ in range(2):
        book.published(1)
    monkeypatch.undo()
    assert [message.kwargs["image"] for message in book.outbox()] == ["44", "55"]
    book.release()
    assert book.acquire("another", 60)
    book.published(1)
    assert [message.kwargs["image"] for message in book.outbox()] == ["55"]


def test_an_attempt_is_sent_once(book, submit):
    job = submit()
    book.send(job.session, "execute", sent(), ENVELOPE)
    with pytest.raises(OutOfStep, match="send of execute"):
        book.send(job.session, "execute", sent(), ENVELOPE)
    assert len(book.outbox()) == 1


def test_an_output_is_bound_once(book, submit):
    job = submit()
    book.send(job.session, "prove:0-1", sent(), ENVELOPE)
    assert book.bind(job.session, "prove:0-1", 1, REF)
    assert book.bind(job.session, "prove:0-1", 1, "another")
    assert book.session(job.session).nodes == {"prove:0-1": REF}
    with pytest.raises(OutOfStep):
        book.bind(job.session, "prove:0-1", 2, REF)
    book.unbind(job.session, "prove:0-1")
    facts = book.session(job.session)
    assert facts.nodes == {}
    assert facts.steps["prove:0-1"].state == "GONE"


def test_what_is_given_up_is_not_waited_for(book, submit):
    job = submit()
    book.send(job.session, "prove:0-1", sent(), ENVELOPE)
    book.give_up(job.session, "prove:0-1", 2, 1)
    assert book.session(job.session).steps["prove:0-1"] == sent()
    book.give_up(job.session, "prove:0-1", 1, 3)
    record = book.session(job.session).steps["prove:0-1"]
    assert (record.state, record.attempt, record.tries) == ("GONE", 1, 3)


def test_what_is_bound_cannot_be_given_up(book, submit):
    job = submit()
    book.send(job.session, "prove:0-1", sent(), ENVELOPE)
    book.bind(job.session, "prove:0-1", 1, REF)
    book.give_up(job.session, "prove:0-1", 1, 1)
    assert book.session(job.session).steps["prove:0-1"].state == "DONE"


def test_a_failure_is_never_kept(book, ledger, submit):
    job = submit()
    end = (job.session, key_of(book, job), State.FAILED, CycleLimitReached(1))
    book.close(Close(*end))
    orphan = book.orphan(job.id).end
    assert (orphan.state, str(orphan.error)) == (State.FAILED, str(CycleLimitReached(1)))
    assert book.finish(Finish(job.id, *end))
    assert not book.finish(Finish(job.id, *end))
    assert str(ledger.status(job.id).error()) == str(CycleLimitReached(1))
    assert ledger.changes(job.id)[-1].text == str(CycleLimitReached(1))
    assert book.orphan(job.id) is None
    again = submit()
    assert again.state is State.ACCEPTED
    assert again.session != job.session


def test_another_chance_is_a_session_of_ones_own(book, ledger, submit):
    narrow, wide, wider = submit(), submit(cycle_limit=5), submit(cycle_limit=9)
    assert narrow.session == wide.session == wider.session
    end = (narrow.session, key_of(book, narrow), State.FAILED, CycleLimitReached(1))
    waiters = book.session(narrow.session).waiters
    book.close(Close(*end))
    for job in waiters[1:]:
        book.reattach(job, narrow.session)
    first, second = (ledger.status(job.id) for job in (wide, wider))
    assert first.session == second.session != narrow.session
    assert book.session(first.session).spec.cycle_limit == 5
    assert [job.id for job in book.session(first.session).waiters] == [wide.id, wider.id]
    assert book.orphan(wide.id) is None


def test_progress_is_for_those_who_wait(book, ledger, submit):
    job, gone = submit(), submit(image_id="22" * 32)
    ledger.cancel(gone.id)
    book.progress([job.id, gone.id], segments=3, segments_known=1, proved=2, text="proving")
    change = ledger.changes(job.id)[-1]
    assert (change.state, change.segments, change.segments_known) == (State.RUNNING, 3, True)
    view = ledger.status(job.id)
    assert (view.state, view.started >= view.created) == (State.RUNNING, True)
    assert ledger.changes(gone.id)[-1].state is State.ABORTED


def test_what_has_ended_does_not_stay_for_ever(book, submit):
    job = submit()
    end = (job.session, key_of(book, job), State.SUCCEEDED, None, REF, REF)
    book.send(job.session, "execute", sent(), ENVELOPE)
    book.close(Close(*end))
    book.finish(Finish(job.id, *end))
    mine = [key for key in book.read("KEYS", "*") if job.session in key or job.id in key]
    mine.append(keys.answer(key_of(book, job)))
    assert len(mine) == 5
    assert all(0 < book.read("TTL", key) <= keys.RETAINED for key in mine)
