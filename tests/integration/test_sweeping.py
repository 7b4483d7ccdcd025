"""Sweeps of a real ledger and real files: what is needed stays, what is past its time goes."""

import threading
import time

import msgspec
import pytest
from hands import ended, kinds, spec, submit, until
from sweeping import DAY, KEEP, let_pass, make_old

from farm import about, guests, keys, removal, sweeper
from farm.errors import BadInput, UnknownJob
from farm.job import State, new_id
from farm.retention import Keep, named

pytestmark = pytest.mark.redis


def count(store):
    return sum(bool(file.ref) for file in store.files())


def test_nothing_goes_that_a_job_or_a_session_names(ledger, blobs, done, store, sweep):
    make_old(store)
    there = count(store)
    swept = sweep()
    assert (swept.blobs, swept.jobs, swept.sessions, swept.answers) == (0, 0, 0, 0)
    assert (count(store), swept.left_blobs) == (there, there)
    assert blobs.has(done.receipt) and blobs.has(done.journal)
    # Segments, what was proved of them, the root: all of what the session has is named.
    assert swept.named == there


def test_what_nothing_names_goes_once_it_is_old(blobs, done, store, sweep):
    old = blobs.put(b"nobody's")
    draft = store.root / old[:2] / ".broken-off"
    draft.write_text("half a blob")
    make_old(store)
    young = blobs.put(b"just put")
    assert sweep().blobs == 1
    assert (blobs.has(old), draft.exists(), blobs.has(young)) == (False, False, True)


def test_a_job_that_runs_is_swept_around(ledger, blobs, hands, start, store, sweep):
    def late(message):
        make_old(store)
        sweep(Keep(0, 0, 0, 1))
        hands.do(message)

    for step in ("execute", "prove:0-1", "prove:1-2", "join:0-2"):
        hands.whims[step] = late
    start()
    view = ended(ledger, submit(ledger, spec(blobs)))
    assert kinds(hands).count("execute") == 1
    assert view.stats["repeated"] == 0


def test_the_nodes_of_a_session_go_a_day_after_its_end(ledger, blobs, done, store, sweep):
    make_old(store)
    let_pass(ledger, keys.session(done.session), "closed", DAY + 1)
    inner = [keys.segments(done.session), keys.nodes(done.session)]
    nodes = {ref for key in inner for ref in named(ledger.client.hvals(key))}
    swept = sweep()
    assert swept.sessions == 1
    assert swept.blobs == len(nodes - {done.receipt}) == 4
    assert not any(blobs.has(ref) for ref in nodes - {done.receipt})
    assert ledger.client.exists(*keys.inner(done.session)) == 0
    again = ledger.submit(spec(blobs), present=blobs.has)
    assert again.answered
    assert blobs.has(ledger.status(again.job).receipt)


def test_a_receipt_past_its_time_is_forgotten_and_proved_anew(ledger, blobs, done, store, sweep):
    for key, field in (
        (keys.job(done.id), "finished"),
        (keys.answer(ledger.client.hget(keys.job(done.id), "key")), "used"),
        (keys.session(done.session), "closed"),
    ):
        let_pass(ledger, key, field, 11 * DAY)
    make_old(store)
    swept = sweep()
    assert (swept.answers, swept.jobs) == (1, 0)
    assert not blobs.has(done.receipt)
    view = ledger.status(done.id)
    assert (view.state, view.receipt, view.stats) == (State.SUCCEEDED, "", done.stats)
    # Inputs are kept as long as their job.
    assert blobs.has(view.spec.program) and blobs.has(view.spec.input)
    again = ledger.submit(spec(blobs), present=blobs.has)
    assert not again.answered
    assert blobs.has(ended(ledger, again.job).receipt)


def test_who_was_given_an_old_receipt_keeps_it(ledger, blobs, done, store, sweep):
    answer = keys.answer(ledger.client.hget(keys.job(done.id), "key"))
    let_pass(ledger, keys.job(done.id), "finished", 31 * DAY)
    let_pass(ledger, answer, "used", 31 * DAY)
    again = ledger.submit(spec(blobs), present=blobs.has)
    assert again.answered
    make_old(store)
    swept = sweep()
    assert (swept.jobs, swept.answers) == (1, 0)
    assert blobs.has(ledger.status(again.job).receipt)


def test_the_receipt_that_a_job_is_still_to_rely_on_stays(ledger, blobs, done, store, sweep):
    wanted = spec(blobs, image_id="ab" * 32, assumptions=[done.id, new_id()])
    ledger.client.hset(keys.job("j9"), "spec", msgspec.json.encode(wanted).decode())
    ledger.client.sadd(keys.OPEN, "j9")
    make_old(store)
    let_pass(ledger, keys.job(done.id), "finished", 40 * DAY)
    sweep()
    assert ledger.status(done.id).receipt == done.receipt and blobs.has(done.receipt)
    with pytest.raises(BadInput, match="has still to run"):
        removal.job(ledger, done.id)
    ledger.client.srem(keys.OPEN, "j9")
    removal.job(ledger, done.id)
    with pytest.raises(UnknownJob):
        ledger.status(done.id)


def test_who_waits_to_be_in_a_set_and_registered_guests_stay(ledger, blobs, done, store, sweep):
    ledger.client.zadd(keys.OPEN_SETS, {done.id: 1.0})
    program = blobs.put(b"a guest that takes a list")
    guests.register(ledger, guests.Registered(image_id="ab" * 32, program=program, batch=True))
    make_old(store)
    let_pass(ledger, keys.job(done.id), "finished", 40 * DAY)
    sweep()
    assert ledger.status(done.id).receipt == done.receipt and blobs.has(done.receipt)
    assert blobs.has(program)
    assert [one.program for one in guests.known(ledger)] == [program]
    assert guests.find(ledger, "ab" * 32).batch and guests.find(ledger, "cd" * 32) is None
    ledger.client.zrem(keys.OPEN_SETS, done.id)
    sweep()
    with pytest.raises(UnknownJob):
        ledger.status(done.id)


def test_a_job_past_its_time_leaves_nothing(ledger, blobs, hands, start, store, sweep):
    start()
    wanted = spec(blobs, idempotency_key="mine")
    view = ended(ledger, submit(ledger, wanted))
    key = ledger.client.hget(keys.job(view.id), "key")
    let_pass(ledger, keys.job(view.id), "finished", 31 * DAY)
    let_pass(ledger, keys.answer(key), "used", 31 * DAY)
    let_pass(ledger, keys.session(view.session), "closed", 31 * DAY)
    make_old(store)
    swept = sweep()
    assert (swept.jobs, swept.sessions, swept.answers) == (1, 1, 1)
    assert count(store) == 0
    assert ledger.jobs() == []
    left = [name for name in ledger.client.keys("farm:*") if view.id in name or key in name]
    assert left == []
    fresh = spec(blobs, idempotency_key="mine")
    assert submit(ledger, fresh) == fresh.id


def test_over_its_bytes_nodes_go_and_then_the_receipts_asked_for_longest_ago(
    ledger, blobs, done, store, sweep
):
    newer = ended(ledger, submit(ledger, spec(blobs, input=blobs.put(b"other"))))
    for view, seconds in ((done, 5000), (newer, 3000)):
        key = ledger.client.hget(keys.job(view.id), "key")
        let_pass(ledger, keys.answer(key), "used", seconds)
        let_pass(ledger, keys.job(view.id), "finished", seconds)
        let_pass(ledger, keys.session(view.session), "closed", seconds)
    make_old(store)
    everything = sweep(dry=True).ended_bytes
    roomy = sweep(KEEP._replace(bytes=everything - 1))
    assert (roomy.sessions, roomy.answers) == (1, 0)
    assert blobs.has(done.receipt) and blobs.has(newer.receipt)
    tight = sweep(KEEP._replace(bytes=len(blobs.get(newer.receipt)) + 40))
    assert (tight.sessions, tight.answers) == (1, 1)
    assert (blobs.has(done.receipt), blobs.has(newer.receipt)) == (False, True)
    assert tight.ended_bytes <= len(blobs.get(newer.receipt)) + 40


def test_a_dry_sweep_changes_nothing(ledger, blobs, done, store, sweep):
    blobs.put(b"nobody's")
    make_old(store)
    before = count(store)
    assert sweep(Keep(0, 0, 0), dry=True).blobs > 1
    assert count(store) == before
    assert ledger.status(done.id).receipt == done.receipt


def test_what_is_to_be_kept_longer_does_not_expire_before(ledger, done, sweep):
    key = keys.job(done.id)
    assert ledger.client.ttl(key) <= keys.RETAINED
    sweep(Keep(jobs=90 * DAY, receipts=90 * DAY, nodes=7 * DAY))
    answer = keys.answer(ledger.client.hget(key, "key"))
    for name in (key, answer):
        assert ledger.client.ttl(name) > 89 * DAY
    assert all(ledger.client.ttl(name) > 6 * DAY for name in keys.inner(done.session)[2:])


def test_an_answer_that_was_never_made_leaves_no_key_behind(ledger, blobs, remains, sweep):
    wanted = spec(blobs)
    submit(ledger, wanted)
    key = keys.answer(ledger.client.hget(keys.job(wanted.id), "key"))
    ledger.client.hset(key, "journal", "of an answer whose receipt was lost")
    assert ledger.cancel(wanted.id)
    sweep()
    assert not ledger.client.exists(key)


def test_a_large_ledger_is_read_to_the_end(ledger, blobs, remains, store, sweep):
    name, held = "f" * 32 + ".j1", [blobs.put(bytes([n % 251, n // 251])) for n in range(1500)]
    ledger.client.hset(keys.session(name), mapping={"state": "RUNNING"})
    segments = {number: f'{{"ref":"{ref}"}}' for number, ref in enumerate(held)}
    ledger.client.hset(keys.segments(name), mapping=segments)
    for _ in range(700):
        id = new_id()
        ledger.client.hset(keys.job(id), mapping={"state": "ACCEPTED", "spec": f'"{held[0]}"'})
    make_old(store)
    swept = sweep()
    assert (swept.named, swept.blobs, swept.left_blobs) == (len(set(held)), 0, len(set(held)))


def test_one_of_two_sweepers_takes_the_turn(remains):
    assert remains.turn("a", 60)
    assert not remains.turn("b", 60)
    assert remains.turn("a", 60)


def test_the_sweeper_sweeps_now_and_then_and_tells_the_ledger(
    settings, ledger, blobs, remains, store
):
    about.claim(ledger, store)
    ref = blobs.put(b"nobody's")
    make_old(store)
    stop = threading.Event()
    often = settings.model_copy(update={"sweep_minutes": 0.001})
    thread = threading.Thread(target=sweeper.run, args=(often, stop))
    thread.start()
    until(lambda: not blobs.has(ref))
    until(lambda: "swept" in ledger.client.hgetall(keys.ABOUT))
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert abs(float(ledger.client.hget(keys.ABOUT, "swept")) - time.time()) < 3600
    assert "1 blobs" in ledger.client.hget(keys.ABOUT, "swept_text")
