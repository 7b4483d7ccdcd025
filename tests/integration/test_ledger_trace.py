"""What trace batches hold in the scratch store is counted to the byte, whoever dies."""

import contextlib

import pytest
from hands import until

from farm import keys
from farm.errors import Busy, LedgerDown, WorkerLost
from farm.job import State, new_id
from farm.ledger import Chunk
from farm.outbox import Envelope
from farm.session import StepState
from farm.steps import Hold

pytestmark = pytest.mark.redis
ENVELOPE = Envelope("trace", "trace", {"attempt": 1}, "r")
CAP = 100


def submit(ledger, size, id=None, chunks=1, small=False, **given):
    id = id or new_id("b")
    made = [Chunk(f"trace:{n}-{n + 1}", ENVELOPE, small) for n in range(chunks)]
    assert ledger.trace_submit(id, "p", chunks, made, size=size, cap=CAP, **given)
    return id


def prove(steps, id, chunk=0):
    step = f"trace:{chunk}-{chunk + 1}"
    assert steps.lease(id, step, 1, "any", "1") is Hold.LEASED
    assert steps.trace_done(id, step, 1, f"ref {chunk}") is Hold.HELD


def held(book):
    return int(book.read("GET", keys.HELD) or 0)


def expire(book, id, size):
    """Let the scratch store have forgotten what a batch holds."""
    assert book.read("ZADD", keys.HOLDERS, "XX", "CH", 1, f"{id} {size}") == 1


def test_over_the_cap_the_farm_is_busy_and_nothing_is_recorded(ledger, book):
    submit(ledger, 60)
    with pytest.raises(Busy, match="what trace batches hold is over its cap of 100 bytes"):
        submit(ledger, 41, id="b9")
    assert not book.read("EXISTS", keys.batch("b9")) and held(book) == 60
    submit(ledger, 40)
    assert held(book) == 100


def test_room_is_kept_for_who_uploads_and_counts_once(ledger, book):
    submit(ledger, 60)
    with pytest.raises(Busy):
        ledger.trace_room("b8", 41, CAP)
    ledger.trace_room("b8", 40, CAP)
    ledger.trace_room("b8", 40, CAP)
    with pytest.raises(Busy):
        ledger.trace_room("b9", 1, CAP)
    submit(ledger, 40, id="b8")
    assert held(book) == 100
    ledger.trace_forget("b8")
    assert held(book) == 60


def test_who_only_asks_for_room_keeps_none(ledger, book):
    ledger.trace_room("", CAP, CAP)
    assert held(book) == 0
    submit(ledger, 60)
    with pytest.raises(Busy):
        ledger.trace_room("", 41, CAP)


def test_room_that_was_kept_for_nothing_is_given_back(ledger, book):
    ledger.trace_room("b8", 60, CAP)
    ledger.trace_release("b8", 60)
    assert held(book) == 0
    ledger.trace_room("b8", 60, CAP)  # and its client dies
    with pytest.raises(Busy):
        submit(ledger, 41)
    expire(book, "b8", 60)
    submit(ledger, 41)
    assert held(book) == 41


def test_a_batch_handed_in_twice_counts_once(ledger, book):
    id = submit(ledger, 60)
    assert not ledger.trace_submit(id, "p", 1, [Chunk("trace:0-1", ENVELOPE)], size=60, cap=CAP)
    assert held(book) == 60


def test_results_count_until_their_client_has_them(ledger, steps, book):
    id = submit(ledger, 60)
    prove(steps, id)
    assert ledger.trace_view(id).state is State.SUCCEEDED and held(book) == 60
    ledger.trace_forget(id)
    ledger.trace_forget(id)
    assert held(book) == 0 and not book.read("EXISTS", keys.HOLDERS)


def test_a_cancelled_batch_counts_until_its_data_are_deleted(ledger, book):
    id = submit(ledger, 60)
    assert ledger.trace_cancel(id) and held(book) == 60
    ledger.trace_release(id)
    ledger.trace_release(id)
    assert held(book) == 0 and ledger.trace_view(id).state is State.ABORTED
    ledger.trace_forget(id)
    assert held(book) == 0


@pytest.mark.parametrize("end", ["done", "cancelled", "failed"])
def test_what_a_dead_client_left_makes_room_once_it_has_expired(ledger, steps, book, end):
    id = submit(ledger, 60)
    if end == "done":
        prove(steps, id)
    elif end == "cancelled":
        ledger.trace_cancel(id)
    else:
        book.trace_fail(id, WorkerLost("trace:0-1", "s"))
    with pytest.raises(Busy):
        submit(ledger, 50)
    expire(book, id, 60)
    other = submit(ledger, 50)
    assert held(book) == 50
    ledger.trace_forget(id, other)
    assert held(book) == 0


def test_a_batch_that_still_runs_never_expires(ledger, book):
    id = submit(ledger, 60)
    assert book.read("ZSCORE", keys.HOLDERS, f"{id} 60") == float("inf")
    with pytest.raises(Busy):
        submit(ledger, 50)


def test_batches_are_forgotten_with_the_next_one(ledger, steps, book):
    first, second = submit(ledger, 10), submit(ledger, 10)
    prove(steps, first)
    third = submit(ledger, 90, forget=[first, second])
    assert held(book) == 90 and book.batches() == [third]


def answers(ledger):
    with contextlib.suppress(LedgerDown):
        return ledger.slots() == []
    return False


def test_what_is_not_accepted_is_said_although_others_are_forgotten(server, ledger):
    submit(ledger, 10)
    server.kill()
    with pytest.raises(LedgerDown):
        submit(ledger, 10, forget=["b0"])
    server.start()
    until(lambda: answers(ledger))


def test_batches_of_one_client_share_a_stream(ledger, steps, book):
    one, other = submit(ledger, 10, id="bc.1"), submit(ledger, 10, id="bc.2", chunks=2)
    assert ledger.changes("bc") == []
    prove(steps, one)
    for chunk in (1, 0):
        prove(steps, other, chunk)
    told = [(c.batch, c.state, c.step, c.ref) for c in ledger.changes("bc")]
    assert told == [
        (one, State.SUCCEEDED, "trace:0-1", "ref 0"),
        (other, State.RUNNING, "trace:1-2", "ref 1"),
        (other, State.SUCCEEDED, "trace:0-1", "ref 0"),
    ]
    ledger.trace_forget(one, other)
    assert book.read("KEYS", "farm:*:bc*") == [keys.changes("bc")]
    assert 0 < book.read("TTL", keys.changes("bc")) <= keys.KEPT


def test_the_scheduler_is_told_of_small_chunks_alone(ledger, book):
    submit(ledger, 10)
    assert book.events("0", 0) == []
    submit(ledger, 10, chunks=2, small=True)
    events = book.events("0", 0)
    assert [event.fields for event in events] == [{"type": "chunk", "message": ENVELOPE.json()}] * 2
    book.ack(*(event.id for event in events))
    assert book.events("0", 0) == []


def test_a_result_told_twice_is_held_though_the_batch_has_ended(ledger, steps):
    id = submit(ledger, 10)
    prove(steps, id)
    assert steps.trace_done(id, "trace:0-1", 1, "ref 0") is Hold.HELD
    assert steps.trace_done(id, "trace:0-1", 1, "other") is Hold.CANCELLED


def test_a_chunk_that_was_done_meanwhile_is_not_sent_again(ledger, steps, book):
    id = submit(ledger, 10, chunks=2)
    prove(steps, id)
    again = StepState(state="SENT", attempt=2, message=ENVELOPE.json())
    assert not book.send(id, "trace:0-1", again, ENVELOPE)
    assert ledger.trace_view(id).done == 1
    prove(steps, id, 1)
    view = ledger.trace_view(id)
    assert (view.state, set(view.nodes.values())) == (State.SUCCEEDED, {"ref 0", "ref 1"})


def test_any_number_of_events_is_deleted_at_once(book):
    book.ack(*(f"{number}-0" for number in range(20_000)))


def test_a_batch_that_says_no_namespace_is_of_the_default_one(ledger):
    id = submit(ledger, 60)
    ledger.client.hdel(keys.batch(id), "namespace")
    for namespace, ours in (("another", False), ("default", True)):
        ledger.namespace = namespace
        assert ledger.trace_cancel(id) is ours
    assert ledger.trace_view(id).state is State.ABORTED
