"""The rounds: what stands still is lost only if the ledger has nothing of it."""

import msgspec
import pytest
from fake_ledger import World
from sessions import ref, slot, spec

from farm import events as e
from farm import keys
from farm import rounds as module
from farm.hints import Hints
from farm.rounds import Rounds
from farm.settings import Settings


class Book:
    """Reads the world's ledger; no counter ever moves."""

    def __init__(self, world):
        self.world = world

    def beats(self):
        return {}

    def read(self, command, key, step):
        assert command == "HGET"
        steps = {keys.steps(name): facts.steps for name, facts in self.world.sessions.items()}
        return msgspec.json.encode(steps[key][step]).decode()

    def slot_gone(self, slot, incarnation):
        return False

    def session(self, name):
        return self.world.sessions[name]


@pytest.fixture
def world():
    world = World()
    for kind in ("risc0", "execute"):
        world.up(slot(0, kind=kind))
    return world


def lapsed(world):
    """Return what the rounds say once everything has stood still for too long."""
    book = Book(world)
    known = Settings(resend_seconds=2.5, beat_seconds=1.0, missed_beats=99)
    rounds = Rounds(known, book, Hints(book), world.scheduler)
    return [event for now in range(4) for event in rounds.look(float(now), sent=True)]


def test_a_message_that_nobody_took_is_lost(world):
    name = world.submit(spec())
    assert lapsed(world) == [e.StepLost(name, "execute", 1, leased=False)]


def test_a_lease_without_a_counter_is_a_lease(world):
    name = world.submit(spec())
    world.lease((name, "execute"))
    assert lapsed(world) == [e.StepLost(name, "execute", 1, leased=True)]


def test_a_step_whose_record_cannot_be_read_is_lost(world, monkeypatch):
    name = world.submit(spec())
    monkeypatch.setattr(Book, "read", lambda *_: "{}")
    assert lapsed(world) == [e.StepLost(name, "execute", 1, leased=False)]


def test_an_execution_whose_end_waits_unread_is_not_lost(world):
    name = world.submit(spec(), count=2)
    world.mute((name, "execute"))
    assert lapsed(world) == [e.SessionSeen(world.sessions[name])]
    world.tell(e.SessionSeen(world.sessions[name]))
    assert [sent.message.step for sent in world.sent] == ["execute", "prove:0-1", "prove:1-2"]


@pytest.mark.parametrize("state", ["REPORTED", "FAILED"])
def test_a_report_that_waits_unread_is_not_lost(world, state):
    name = world.submit(spec())
    world.done((name, "execute"))
    record = world.change((name, "prove:0-1"), state=state, ref=ref("proof"))
    assert lapsed(world) == [e.StepReported(name, "prove:0-1", record)]


def test_what_a_lost_slot_held_is_read_from_the_ledger(world):
    name = world.submit(spec())
    world.lease((name, "execute"))
    book = Book(world)
    rounds = Rounds(Settings(), book, Hints(book), world.scheduler)
    rounds.note(e.SlotSeen(slot(0, kind="execute")))
    assert world.scheduler.floor.states == {}
    rounds.note(e.SlotGone("execute-m-0"))
    assert world.scheduler.floor.states == {(name, "execute"): "LEASED"}


def test_the_deadline_of_a_job_that_has_ended_is_not_remembered(world, monkeypatch):
    book = Book(world)
    hints = Hints(book)
    rounds = Rounds(Settings(), book, hints, world.scheduler)
    monkeypatch.setattr(module, "SEARCH", 1)
    monkeypatch.setattr(Book, "forget_beats", lambda *_: None, raising=False)
    monkeypatch.setattr(hints, "orphans", lambda waiting: iter(()))
    name = world.submit(spec(deadline=1e12))
    assert rounds.note(e.SessionSeen(world.sessions[name])) == []
    list(rounds.look(0.0, sent=True))
    assert len(rounds._deadlines) == 1
    world.tell(e.JobLeft(name, "j1"))
    list(rounds.look(1.0, sent=True))
    assert len(rounds._deadlines) == 0
