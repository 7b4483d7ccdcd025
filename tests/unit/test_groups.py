"""What the scheduler does with small chunks: one message for several, events deleted after."""

import pytest

from farm import groups as module
from farm.errors import LedgerDown
from farm.events import ChunkWaits
from farm.groups import Groups
from farm.outbox import Envelope
from farm.session import Span, step_name
from farm.wire import StepMessage, chunk_messages


class Carrier:
    def __init__(self):
        self.sent, self.waits, self.away = [], True, False

    def idle(self, queue):
        assert queue == "trace"
        return not self.waits

    def hand(self, message):
        if self.away:
            raise LedgerDown("broker", "gone")
        self.sent.append(message)


class Book:
    def __init__(self):
        self.acked = []

    def ack(self, *events):
        self.acked.append(events)


class World:
    def __init__(self):
        self.now, self.book, self.carrier = 0.0, Book(), Carrier()
        self.groups = Groups(self.book, self.carrier, 5.0, lambda: self.now)

    def add(self, number, rows=10):
        step = step_name("trace", Span(0, rows))
        known = {"session": f"b{number}", "job": f"b{number}", "step": step, "kind": "trace"}
        args = {"rows": rows, "steps": rows}
        message = StepMessage(**known, attempt=1, slot="", inputs=["r"], limit_s=9.0, args=args)
        envelope = Envelope("trace", "trace", message.kwargs(), f"{rows} of b{number}")
        self.groups.add(ChunkWaits(envelope, rows, rows), f"{number}-0")
        return envelope


@pytest.fixture
def world():
    return World()


def test_chunks_of_several_batches_share_a_message(world):
    world.add(1)
    world.add(2)
    world.groups.send()
    assert world.carrier.sent == [] and world.groups.seconds() == 5.0
    world.now = 5.0
    world.groups.send()
    (message,) = world.carrier.sent
    assert (message.queue, message.task) == ("trace", "trace")
    assert message.repr == "20 traces of 2 batches"
    assert [one.session for one in chunk_messages(message.kwargs)] == ["b1", "b2"]


def test_a_chunk_alone_keeps_its_own_message(world):
    world.carrier.waits = False
    envelope = world.add(1)
    world.groups.send()
    assert world.carrier.sent == [envelope]


def test_an_event_is_deleted_after_its_chunk_has_gone(world):
    world.carrier.waits = False
    world.add(1)
    world.groups.send()
    world.add(2)
    world.now = 0.1
    world.groups.send()
    assert world.book.acked == [("1-0",)]  # the second soon
    world.now = 0.5
    world.groups.send()
    assert world.book.acked == [("1-0",), ("2-0",)]
    world.now = 9.0
    world.groups.send()
    assert len(world.book.acked) == 2


def test_what_a_broker_that_is_away_does_not_take_waits(world):
    world.carrier.waits, world.carrier.away = False, True
    world.add(1)
    world.groups.send()
    assert world.book.acked == [] and world.groups.seconds() >= module.PAUSE
    world.carrier.away = False
    world.groups.send()
    assert world.carrier.sent == []
    world.now = module.PAUSE
    world.groups.send()
    assert len(world.carrier.sent) == 1


def test_a_broker_that_cannot_say_how_busy_it_is_loses_nothing(world, monkeypatch):
    def away(queue):
        raise LedgerDown("broker", "gone")

    monkeypatch.setattr(world.carrier, "idle", away)
    world.add(1)
    world.groups.send()
    monkeypatch.undo()
    world.now = 9.0
    world.groups.send()
    assert len(world.carrier.sent) == 1
