"""Writes that go together: in order, in one trip, each still fenced by itself."""

import pytest

from farm.book import Book, OutOfStep, StaleEpoch
from farm.job import JobSpec, new_id
from farm.outbox import Envelope
from farm.session import StepState

pytestmark = pytest.mark.redis
REF = "ab" * 32 + "-9"


def envelope(number):
    return Envelope("q", "prove", {"n": number}, "r")


def sent(attempt=1):
    return StepState(state="SENT", attempt=attempt, slot="s")


@pytest.fixture
def session(ledger, book):
    known = {"image_id": "11" * 32, "program": REF, "input": REF, "po2": 20}
    spec = JobSpec(id=new_id(), cycle_limit=9, input_limit=9, **known)
    return ledger.status(ledger.submit(spec).job).session


def test_nothing_is_written_before_the_end_and_all_of_it_then(book, session):
    (event,) = book.events("0", 0)
    with book.together():
        for number in range(3):
            book.send(session, f"prove:{number}-{number + 1}", sent(), envelope(number))
        book.ack(event.id)
        assert book.waits and not book.outbox() and not book.posted()
    assert book.outbox() == book.posted() == [envelope(n) for n in range(3)]
    assert not book.posted() and not book.events("0", 0)


def test_what_was_not_put_into_the_outbox_is_not_posted(book, session):
    with book.together():
        book.send("no such session", "prove:0-1", sent(), envelope(1))
        book.send(session, "prove:0-1", sent(), envelope(2))
    assert book.outbox() == book.posted() == [envelope(2)]


def test_a_step_that_is_not_as_remembered_is_said_by_name(book, session):
    with pytest.raises(OutOfStep, match="send of prove:1-2"), book.together():
        book.send(session, "prove:0-1", sent(), envelope(1))
        book.send(session, "prove:1-2", sent(attempt=7), envelope(2))
    assert list(book.session(session).steps) == ["prove:0-1"]


def test_a_scheduler_that_was_replaced_changes_nothing(book, session, ledger_url):
    book.release()
    other = Book.at(ledger_url)
    assert other.acquire("other", 60)
    with pytest.raises(StaleEpoch), book.together():
        book.send(session, "prove:0-1", sent(), envelope(1))
        book.ack("1-0")
    assert not other.outbox() and not other.session(session).steps


def test_what_was_not_sent_when_a_block_failed_is_dropped(book, session):
    with pytest.raises(ZeroDivisionError), book.together():
        book.send(session, "prove:0-1", sent(), envelope(1))
        raise ZeroDivisionError
    assert not book.outbox()
    assert book.send(session, "prove:0-1", sent(), envelope(2))
