"""The running scheduler: jobs end verified, whatever dies or gets lost on the way."""

import threading

import pytest
from hands import Letterbox, ended, kinds, spec, submit, until

from farm import carry, groups, keys
from farm.book import StaleEpoch
from farm.errors import CycleLimitReached, JobTimedOut
from farm.hints import Hints
from farm.job import State, new_id
from farm.ledger import Chunk
from farm.outbox import Envelope
from farm.wire import StepMessage

pytestmark = pytest.mark.redis


def test_a_job_ends_with_a_receipt_and_the_next_one_is_answered(ledger, blobs, hands, start):
    start()
    id = submit(ledger, spec(blobs))
    view = ended(ledger, id)
    assert kinds(hands) == ["execute", "prove:0-1", "prove:1-2", "join:0-2"]
    assert blobs.has(view.receipt)
    assert blobs.get(view.journal) == b"journal"
    assert view.stats.items() >= {"segments": 2, "cycles": {"total": 7}, "repeated": 0}.items()
    assert view.created <= view.started <= view.finished
    last = [change for change in ledger.changes(id) if change.state is State.RUNNING][-1]
    assert (last.segments, last.segments_known, last.proved, last.folds) == (2, True, 2, 1)
    again = ledger.submit(spec(blobs), present=blobs.has)
    assert again.answered
    assert ledger.status(again.job).receipt == view.receipt


def test_nothing_is_left_behind(ledger, book, blobs, hands, start):
    running = start()
    book.release()
    ended(ledger, submit(ledger, spec(blobs)))
    until(lambda: not book.events("0", 0) and not book.outbox())
    running.end()
    assert [field for field in book.beats() if field.startswith("step:")] == []
    for key in (keys.OPEN, keys.SESSIONS, keys.SCHEDULER):
        assert not book.read("EXISTS", key)


def test_a_valid_receipt_of_something_else_is_refused(ledger, book, blobs, hands, start):
    book.release()
    hands.whims["prove:0-1"] = hands.wrong
    start()
    view = ended(ledger, submit(ledger, spec(blobs)))
    proofs = [message for message in hands.seen if message.step == "prove:0-1"]
    assert [message.attempt for message in proofs] == [1, 2]
    bound = book.read("HGET", keys.nodes(view.session), "prove:0-1")
    assert b"WrongClaim" not in blobs.get(bound)
    assert view.stats["repeated"] == 1


@pytest.mark.parametrize("whim", ["hang", "ignore"])
def test_a_step_that_nobody_works_on_is_sent_again(ledger, blobs, hands, start, whim):
    hands.whims["execute"] = getattr(hands, whim)
    hands.whims["join:0-2"] = getattr(hands, whim)
    start()
    view = ended(ledger, submit(ledger, spec(blobs)))
    assert kinds(hands).count("join:0-2") == 2
    assert view.stats["repeated"] == (2 if whim == "hang" else 0)


def test_a_failure_of_the_guest_is_the_jobs(ledger, steps, blobs, hands, start):
    def fail(message):
        hands.lease(message)
        steps.failed(message.session, "execute", message.attempt, CycleLimitReached(9))

    hands.whims["execute"] = fail
    start()
    id = submit(ledger, spec(blobs))
    until(lambda: ledger.status(id).state.ended)
    assert str(ledger.status(id).error()) == str(CycleLimitReached(9))
    ended(ledger, submit(ledger, spec(blobs)))


def test_wider_limits_go_on_where_narrower_ones_failed(ledger, steps, blobs, hands, start):
    both = threading.Event()

    def fail(message):
        hands.lease(message)
        both.wait(10)
        steps.failed(message.session, "execute", message.attempt, CycleLimitReached(9))

    hands.whims["execute"] = fail
    start()
    narrow = submit(ledger, spec(blobs))
    wide = ledger.submit(spec(blobs, cycle_limit=99), present=lambda ref: True)
    assert wide.attached
    both.set()
    ended(ledger, wide.job)
    assert ledger.status(narrow).code == "CycleLimitReached"


def test_a_deadline_ends_the_job(ledger, blobs, hands, start):
    hands.whims["execute"] = hands.ignore
    start()
    id = submit(ledger, spec(blobs, deadline=1.0))
    until(lambda: ledger.status(id).state is State.TIMED_OUT)
    assert isinstance(ledger.status(id).error(), JobTimedOut)


def test_a_new_scheduler_goes_on_where_the_last_one_was(ledger, blobs, hands, start):
    hold = threading.Event()

    def late(message):
        hold.wait(10)
        hands.do(message)

    hands.whims["prove:1-2"] = late
    first = start()
    id = submit(ledger, spec(blobs))
    until(lambda: "prove:1-2" in kinds(hands))
    first.end()
    hold.set()
    until(lambda: hands.inbox.empty())
    start()
    ended(ledger, id)


def test_one_schedules_and_the_other_waits(ledger, book, blobs, hands, start):
    first, second = start(), start()
    # The fixture's own epoch: both wait for it.
    assert submit(ledger, spec(blobs)) and not hands.seen
    book.release()
    until(lambda: hands.seen)
    first.end()
    ended(ledger, submit(ledger, spec(blobs, image_id="22" * 32)))
    second.end()


def test_a_scheduler_that_was_replaced_leaves(ledger, book, hands, start):
    book.release()
    running = start()
    until(lambda: book.read("GET", keys.SCHEDULER))
    # As when it slept until its lease ran out.
    book.read("DEL", keys.SCHEDULER)
    assert book.acquire("another", 60)
    running.thread.join(10)
    assert not running.thread.is_alive()
    assert book.read("GET", keys.SCHEDULER) == "another"


def test_what_an_event_lost_is_found(ledger, blobs, hands, start, monkeypatch):
    kept = Hints.of

    def forgetful(self, noted, known):
        return kept(self, noted, known) if noted.fields["type"] == "slot" else None

    monkeypatch.setattr(Hints, "of", forgetful)
    start()
    ended(ledger, submit(ledger, spec(blobs)))
    assert len(hands.seen) == 4


def test_a_report_that_waits_unread_is_not_done_again(ledger, blobs, hands, start, monkeypatch):
    kept = Hints.of

    def unread(self, noted, known):
        told = {"slot", "job"}
        return kept(self, noted, known) if noted.fields["type"] in told else None

    monkeypatch.setattr(Hints, "of", unread)
    monkeypatch.setattr(Hints, "sessions", lambda self, known: iter(()))
    start()
    view = ended(ledger, submit(ledger, spec(blobs)))
    assert kinds(hands) == ["execute", "prove:0-1", "prove:1-2", "join:0-2"]
    assert view.stats["repeated"] == 0


def test_a_lost_chunk_of_a_trace_batch_is_sent_again(ledger, hands, start):
    id, step = new_id("b"), "trace:0-10"
    known = {"session": id, "job": id, "step": step, "kind": "trace", "attempt": 1, "slot": ""}
    message = StepMessage(**known, limit_s=9)
    ledger.trace_submit(
        id, "p", 10, [Chunk(step, Envelope("trace", "trace", message.kwargs(), str(message)))]
    )
    start()
    until(lambda: ledger.trace_view(id).state is State.SUCCEEDED)
    assert [seen.attempt for seen in hands.seen] == [2]
    assert ledger.trace_view(id).nodes == {step: "ref"}


def small(ledger, count=1):
    """Hand in batches of one small chunk each; return their ids."""
    ids = [new_id("b") for _ in range(count)]
    for id in ids:
        known = {"session": id, "job": id, "step": "trace:0-10", "kind": "trace", "slot": ""}
        args = {"rows": 10, "steps": 100}
        message = StepMessage(**known, attempt=1, args=args, limit_s=9)
        envelope = Envelope("trace", "trace", message.kwargs(), str(message))
        ledger.trace_submit(id, "p", 10, [Chunk("trace:0-10", envelope, small=True)])
    return ids


def done(ledger, ids):
    return all(ledger.trace_view(id).state is State.SUCCEEDED for id in ids)


def test_small_chunks_are_sent_by_the_scheduler(ledger, hands, start):
    start()
    ids = small(ledger, 5)
    until(lambda: done(ledger, ids))
    assert sorted(seen.session for seen in hands.seen) == sorted(ids)
    assert {seen.attempt for seen in hands.seen} == {1}
    until(lambda: ledger.client.xlen(keys.EVENTS) == 0)


def test_small_chunks_that_came_together_share_a_message(ledger, hands, start, monkeypatch):
    ids, sent = small(ledger, 5), []
    send = hands.send

    def count(app, queue, task, kwargs, repr):
        sent.append(repr)
        send(app, queue, task, kwargs, repr)

    monkeypatch.setattr(carry, "Post", Letterbox(count))
    start()
    until(lambda: done(ledger, ids))
    assert sent == ["50 traces of 5 batches"]


def test_a_scheduler_that_dies_leaves_small_chunks_to_the_next(ledger, hands, start, monkeypatch):
    def die(self):
        if len(self._waiting):
            raise StaleEpoch(1)

    with monkeypatch.context() as dying:
        dying.setattr(groups.Groups, "send", die)
        first = start()
        ids = small(ledger, 3)
        first.thread.join(10)
    start()
    until(lambda: done(ledger, ids))
    assert [seen.attempt for seen in hands.seen] == [1, 1, 1]
