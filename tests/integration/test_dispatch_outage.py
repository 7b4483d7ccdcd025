"""The running scheduler when what it stands on goes away: ledger, broker, blobs, the job itself."""

import threading

import pytest
from hands import Letterbox, ended, kinds, spec, submit, until

from farm import carry, dispatch, keys
from farm.blobs import DirectoryBlobs
from farm.book import StaleEpoch
from farm.errors import Busy, CycleLimitReached, LedgerDown, StoreFailed, UnsafeLedger
from farm.instructions import Close
from farm.job import State

pytestmark = pytest.mark.redis


class Held:
    """A step whose worker is not done before it is told to be."""

    def __init__(self, hands):
        self.hands, self.go, self.here = hands, threading.Event(), threading.Event()

    def __call__(self, message):
        self.here.set()
        assert self.go.wait(20)
        self.hands.do(message)


def test_a_ledger_that_was_killed_has_lost_nothing(server, ledger, blobs, hands, start):
    held = hands.whims["prove:1-2"] = Held(hands)
    start()
    id = submit(ledger, spec(blobs))
    assert held.here.wait(10)
    server.kill()
    with pytest.raises(LedgerDown):
        ledger.status(id)
    server.start()
    until(lambda: ledger.status(id))
    held.go.set()
    ended(ledger, id)
    assert kinds(hands).count("execute") == 1


def test_a_job_whose_scheduler_died_before_telling_it_gets_its_answer(
    ledger, book, blobs, hands, start
):
    done, failed = submit(ledger, spec(blobs)), submit(ledger, spec(blobs, namespace="b"))
    wider = submit(ledger, spec(blobs, namespace="b", cycle_limit=99))
    ends = {done: (State.SUCCEEDED, None, "r", "j"), failed: (State.FAILED, CycleLimitReached(9))}
    for id, end in ends.items():
        key = book.read("HGET", keys.job(id), "key")
        book.close(Close(ledger.status(id).session, key, *end))
    book.release()
    start()
    assert ended(ledger, done).receipt == "r"
    ended(ledger, wider)
    assert str(ledger.status(failed).error()) == str(CycleLimitReached(9))


@pytest.mark.parametrize(
    "error",
    [Busy("memory", 1, 30), UnsafeLedger("x", "cannot write", "MISCONF"), LedgerDown("x", "")],
)
def test_a_ledger_that_takes_no_writes_is_waited_for(settings, ledger, monkeypatch, error):
    ends = [error, StaleEpoch(1)]

    def stop(self, stop):
        raise ends.pop(0)

    monkeypatch.setattr(dispatch, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(dispatch.Dispatch, "run", stop)
    dispatch.run(settings, threading.Event())
    assert not ends


def test_a_broker_that_is_away_gets_it_later(ledger, blobs, hands, start, monkeypatch):
    away = threading.Event()

    def send(*args):
        if not away.is_set():
            raise LedgerDown("the broker", "away")
        hands.send(*args)

    monkeypatch.setattr(carry, "Post", Letterbox(send))
    start()
    id = submit(ledger, spec(blobs))
    until(lambda: ledger.status(id).state is State.RUNNING)
    away.wait(1.5)  # longer than a message may stay untaken
    away.set()
    ended(ledger, id)
    assert kinds(hands) == ["execute", "prove:0-1", "prove:1-2", "join:0-2"]


def test_an_output_that_is_gone_is_made_again(ledger, book, blobs, hands, start):
    def lose(message):
        blobs.delete(message.inputs[0])
        hands.lease(message)
        at = (message.session, message.step, message.attempt)
        try:
            blobs.get(message.inputs[0])
        except Exception as error:
            hands.steps.failed(*at, error)

    hands.whims["join:0-2"] = lose
    book.release()
    start()
    view = ended(ledger, submit(ledger, spec(blobs)))
    assert kinds(hands).count("prove:0-1") == 2
    assert kinds(hands).count("join:0-2") == 2
    assert blobs.has(book.read("HGET", keys.nodes(view.session), "prove:0-1"))


def test_a_slot_that_went_silent_is_given_up_and_comes_back(ledger, book, blobs, hands, start):
    book.release()
    start()
    ended(ledger, submit(ledger, spec(blobs)))
    silent = hands.slots.pop(0)
    until(lambda: silent.name not in [slot.name for slot in book.slots()])
    hands.slots.append(silent)
    until(lambda: silent.name in [slot.name for slot in book.slots()])
    ended(ledger, submit(ledger, spec(blobs, image_id="22" * 32)))


def test_a_cancelled_job_is_off_the_slots_at_once(ledger, book, blobs, hands, start):
    hands.whims["prove:0-1"] = hands.whims["prove:1-2"] = hands.hang
    book.release()
    start()
    id = submit(ledger, spec(blobs))
    until(lambda: kinds(hands).count("prove:1-2"))
    assert ledger.cancel(id)
    second = submit(ledger, spec(blobs, image_id="22" * 32))
    ended(ledger, second)
    assert ledger.status(id).state is State.ABORTED
    assert ledger.changes(id)[-1].state is State.ABORTED


def test_a_full_store_ends_the_job_with_that_reason(ledger, blobs, hands, start, monkeypatch):
    put = DirectoryBlobs.put

    def full(self, body):
        if b"join:0-2" in body and self is not blobs:
            raise StoreFailed(self.root, "No space left on device")
        return put(self, body)

    monkeypatch.setattr(DirectoryBlobs, "put", full)
    start()
    id = submit(ledger, spec(blobs))
    until(lambda: ledger.status(id).state.ended)
    assert isinstance(ledger.status(id).error(), StoreFailed)
