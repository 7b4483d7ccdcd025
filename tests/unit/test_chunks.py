"""Chunks of trace batches: what got lost is sent again, a bounded number of times."""

import msgspec
import pytest
from sessions import slot

from farm.chunks import Chunks, Fail, Resend
from farm.errors import BadTrace, BlobMissing
from farm.outbox import Envelope
from farm.session import StepState

MESSAGE = Envelope("trace", "trace", {"attempt": 1}, "r")
SLOTS = {"trace-m-0": slot(0, kind="trace")}


def look(record, chunks=None, now=0.0, slots=SLOTS):
    chunks = chunks or Chunks(attempts=3, patience=5)
    return chunks.look(now, {"b": {"trace:0-9": record}}, slots)


def record(state, **given):
    return StepState(state=state, attempt=1, message=MESSAGE.json(), **given)


def failed(error, **given):
    facts = msgspec.json.encode(error.facts).decode()
    return record("FAILED", code=error.code, facts=facts, **given)


def test_what_is_under_way_or_done_is_left_alone():
    held = record("LEASED", slot="trace-m-0", incarnation="1")
    assert look(held) == look(record("DONE")) == look(record("SENT")) == []


@pytest.mark.parametrize("where", ["trace-m-0", "trace-m-9"])
def test_a_chunk_whose_worker_is_gone_is_sent_again(where):
    (again,) = look(record("LEASED", slot=where, incarnation="0"))
    assert (again.record.attempt, again.record.tries) == (2, 1)
    assert again.message.kwargs == {"attempt": 2}
    assert Envelope.read(again.record.message) == again.message


def test_a_chunk_is_not_tried_for_ever():
    (end,) = look(record("LEASED", slot="gone", tries=2))
    assert isinstance(end, Fail)


def test_only_what_may_help_is_tried_again():
    assert isinstance(look(failed(BlobMissing("ref", "gone")))[0], Resend)
    (end,) = look(failed(BadTrace("no such program")))
    assert (end.batch, end.error.code) == ("b", "BadTrace")


def test_a_message_is_lost_when_nothing_moves():
    chunks = Chunks(attempts=3, patience=5)
    assert look(record("SENT"), chunks, 0) == []
    assert look(record("SENT"), chunks, 5) == []
    assert look(record("SENT"), chunks, 6, slots={}) == []
    (again,) = look(record("SENT"), chunks, 7)
    assert (again.record.attempt, again.record.tries) == (2, 0)
    assert look(again.record, chunks, 8) == []


@pytest.mark.parametrize(("patience", "limit"), [(5, 60), (40, 120)])
def test_a_chunk_that_stays_leased_is_sent_again_though_its_worker_lives(patience, limit):
    chunks = Chunks(attempts=3, patience=patience)
    held = record("LEASED", slot="trace-m-0", incarnation="1")
    assert look(held, chunks, 10) == look(held, chunks, 10 + limit) == []
    (again,) = look(held, chunks, 11 + limit)
    assert (again.record.attempt, again.record.tries) == (2, 1)
    leased = msgspec.structs.replace(again.record, state="LEASED", slot="trace-m-0")
    leased = msgspec.structs.replace(leased, incarnation="1")
    assert look(leased, chunks, 12 + limit) == []


def test_the_end_of_a_batch_names_the_worker_that_was_lost():
    (end,) = look(record("LEASED", slot="gone", tries=2))
    assert (end.error.code, end.error.facts) == ("WorkerLost", ("trace:0-9", "gone"))


def test_a_chunk_whose_worker_renews_it_may_take_long():
    chunks = Chunks(attempts=3, patience=5)
    held = {"b": {"trace:0-9": record("LEASED", slot="trace-m-0", incarnation="1")}}
    for beat in range(5):
        assert chunks.look(beat * 50, held, SLOTS, {"step:b:trace:0-9:1": beat}) == []
    assert chunks.look(260, held, SLOTS, {"step:b:trace:0-9:1": 4}) == []
    (again,) = chunks.look(261, held, SLOTS, {"step:b:trace:0-9:1": 4})
    assert isinstance(again, Resend)


def sent(since, chunks=None, **states):
    """Look at chunks of one batch, each in its state; return those that are sent again."""
    steps = {f"trace:{name}": record(state, **WHERE[state]) for name, state in states.items()}
    return {one.step for one in chunks.look(since, {"b": steps}, SLOTS)}


WHERE = {"SENT": {}, "DONE": {}, "LEASED": {"slot": "trace-m-0", "incarnation": "1"}}


def test_a_message_is_lost_when_a_later_one_was_taken():
    chunks = Chunks(attempts=3, patience=5)
    assert sent(0, chunks, old="SENT") == set()
    assert sent(1, chunks, old="SENT", new="SENT") == set()
    assert sent(4, chunks, old="SENT", new="LEASED") == set()  # it may be on its way
    assert sent(6, chunks, old="SENT", new="LEASED", newer="SENT") == {"trace:old"}


def test_a_message_behind_others_is_not_lost_however_long_it_waits():
    chunks = Chunks(attempts=3, patience=5)
    names = [f"n{number}" for number in range(10)]
    for beat in range(40):
        done = dict.fromkeys(names[: beat // 4], "DONE")
        waiting = dict.fromkeys(names[beat // 4 :], "SENT")
        assert sent(beat, chunks, **done, **waiting) == set()


def test_a_later_message_that_was_never_seen_waiting_tells_too():
    chunks = Chunks(attempts=3, patience=5)
    assert sent(0, chunks, old="SENT") == set()
    assert sent(3, chunks, old="SENT", quick="DONE") == set()
    assert sent(6, chunks, old="SENT", quick="DONE") == {"trace:old"}
