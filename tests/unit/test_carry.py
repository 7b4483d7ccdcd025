"""The scheduler's hands: what is in the outbox goes to the broker, in order, once it is there."""

import pytest

from farm import carry, dispatch
from farm.errors import LedgerDown
from farm.outbox import Envelope

MESSAGES = [Envelope("q", "prove", {"n": n}, str(n)) for n in range(5)]


class Book:
    """An outbox, and what was put into it since somebody asked."""

    def __init__(self):
        self.kept, self.new = [], []

    def put(self, *messages):
        self.kept += messages
        self.new += messages

    def posted(self):
        found, self.new = self.new, []
        return found

    def outbox(self):
        return self.kept[:2]

    def published(self, count):
        del self.kept[:count]


class Post:
    """A broker that takes messages, or is away."""

    def __init__(self, app):
        self.got, self.away = [], False

    def send(self, messages):
        if self.away:
            raise LedgerDown("the broker", "away")
        self.got += messages


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def carrier(book, monkeypatch):
    monkeypatch.setattr(carry, "Post", Post)
    monkeypatch.setattr(carry, "PAUSE", 0.0)
    return carry.Carrier(book, None, None, None)


def test_what_an_earlier_scheduler_left_goes_first(book, carrier):
    book.put(*MESSAGES[:3])
    book.posted()
    book.put(*MESSAGES[3:])
    carrier.publish()
    assert carrier._post.got == MESSAGES
    assert not book.kept and not carrier.unsent


def test_a_message_that_nobody_can_read_is_taken_out_unsent(book, carrier):
    book.put(MESSAGES[0], None, MESSAGES[1])
    book.posted()
    carrier.publish()
    assert carrier._post.got == MESSAGES[:2] and not book.kept


def test_what_a_broker_has_stays_in_the_outbox_until_the_next_writes(book, carrier):
    carrier.publish()
    book.put(*MESSAGES)
    carrier.publish()
    carrier.publish()
    assert carrier._post.got == book.kept == MESSAGES
    carrier.settle()
    carrier.settle()
    assert not book.kept


def test_what_a_broker_did_not_take_stays_and_goes_in_order(book, carrier):
    carrier.publish()
    carrier._post.away = True
    book.put(*MESSAGES[:2])
    carrier.publish()
    book.put(*MESSAGES[2:])
    carrier.publish()
    assert carrier.unsent and book.kept == MESSAGES
    carrier._post.away = False
    carrier.publish()
    assert carrier._post.got == MESSAGES
    assert not book.kept and not carrier.unsent


@pytest.mark.parametrize("entries", [0, 1, 999, 5_000, 100_000])
def test_however_many_wait_only_so_many_are_told_in_a_second(entries):
    seconds = dispatch.pause(entries)
    assert seconds >= dispatch.TELL_SECONDS
    assert entries / seconds <= dispatch.TELL_MOST / dispatch.TELL_SECONDS + 1e-6
    assert seconds == dispatch.TELL_SECONDS or entries > dispatch.TELL_MOST
