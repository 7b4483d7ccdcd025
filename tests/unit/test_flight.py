"""Batches that want the same proofs share them, and a failure or an end stays one's own."""

import threading

import pytest
from provers import LIMIT, Batch, Prover, failing, fib, never, same

from farm import flight, partial, trace
from farm.cache import TraceCache
from farm.errors import Busy, JobAborted, JobFailed, LedgerDown, WaitTimeout
from farm.flight import Flight, Flights
from farm.keying import Keyer
from farm.reuse import Reuse, here


def test_what_another_thread_proves_is_waited_for():
    reuse, gate = Reuse(TraceCache(LIMIT)), threading.Event()
    slow, quick, done = Prover(gate), Prover(), {}

    def first():
        done["first"] = reuse.prove(fib(2, 3, 4), slow)

    def second():
        done["second"] = reuse.prove(fib(4, 5, 2, 4), quick)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert slow.began.wait(10)
    threads[1].start()
    assert quick.began.wait(10)
    gate.set()
    for thread in threads:
        thread.join()
    assert same(done["first"], fib(2, 3, 4)) and same(done["second"], fib(4, 5, 2, 4))
    assert (slow.rows, quick.rows) == ([2, 3, 4], [5])


def test_of_two_batches_that_were_sent_either_may_be_waited_for_first():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    sent = [reuse.start(batch, here(prover)) for batch in (fib(2, 3), fib(3, 4))]
    assert same(sent[1].wait(), fib(3, 4)) and same(sent[0].wait(), fib(2, 3))
    assert sorted(prover.rows) == [2, 3, 4]
    assert same(sent[1].wait(), fib(3, 4))


def test_a_failure_is_not_shared():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    first = reuse.start(fib(2, 3), failing)
    second = reuse.start(fib(3, 4), here(prover))
    assert same(second.wait(), fib(3, 4))
    assert sorted(prover.rows) == [3, 4]
    # Nobody has waited for it, but one has seen it fail: it lends nothing any more.
    assert same(reuse.prove(fib(2), prover), fib(2)) and prover.rows[2:] == [2]
    with pytest.raises(JobFailed, match="its worker is gone"):
        first.wait()
    assert same(reuse.prove(fib(2, 3), prover), fib(2, 3))


def test_a_batch_that_was_refused_holds_nobody_up():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()

    def refuse(part):
        raise JobFailed("b1", "busy")

    with pytest.raises(JobFailed):
        reuse.start(fib(2), refuse)
    assert same(reuse.prove(fib(2), prover), fib(2))


def test_a_batch_that_nobody_waits_for_is_forgotten():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    reuse.start(fib(2), failing)
    assert same(reuse.prove(fib(2), prover), fib(2)) and prover.rows == [2]


def test_waiting_ends_in_time():
    reuse = Reuse(TraceCache(LIMIT))
    first, second = reuse.start(fib(2), never), reuse.start(fib(2, 3), here(Prover()))
    for sent in (first, second):
        with pytest.raises(WaitTimeout):
            sent.wait(0.01)
    with pytest.raises(WaitTimeout):
        Flight(Keyer().keys(fib(2))).lands(0.01)


def test_what_was_lent_in_vain_is_handed_in_once_however_often_it_is_asked_for():
    reuse, handed_in = Reuse(TraceCache(LIMIT)), []

    def slow(part):
        handed_in.append(part)

        def wait(timeout):
            if timeout is not None:
                raise WaitTimeout("b2", "RUNNING", timeout)
            return trace.prove(part, LIMIT)

        return Batch(wait)

    lender = reuse.start(fib(2, 3), failing)
    borrower = reuse.start(fib(2, 3), slow)
    for _ in range(3):
        with pytest.raises(WaitTimeout):
            borrower.wait(0.01)
    assert len(handed_in) == 1
    assert same(borrower.wait(), fib(2, 3)) and len(handed_in) == 1
    with pytest.raises(JobFailed):
        lender.wait()


@pytest.mark.parametrize("lost", ["cancelled", "failed"])
def test_a_batch_that_will_not_land_lends_nothing(lost):
    reuse, made = Reuse(TraceCache(LIMIT)), []
    lender = reuse.start(fib(2, 3), lambda part: made.append(failing(part)) or made[0])
    if lost == "cancelled":
        assert lender.cancel() and made[0].cancelled == 1
    else:
        with pytest.raises(JobFailed):
            lender.wait(0)
    prover = Prover()
    reuse.start(fib(2, 3), here(prover)).wait()
    assert prover.rows == [2, 3]


def test_who_borrowed_from_a_cancelled_batch_asks_for_itself():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    lender = reuse.start(fib(2, 3), failing)
    borrower = reuse.start(fib(3, 4), here(prover))
    lender.cancel()
    assert same(borrower.wait(), fib(3, 4)) and sorted(prover.rows) == [3, 4]


def test_a_farm_that_is_busy_is_asked_again_for_what_another_failed_to_make():
    reuse, prover, refusals = Reuse(TraceCache(LIMIT)), Prover(), [1, 2]

    def submit(part):
        if len(part) and refusals:
            refusals.pop()
            raise Busy("what trace batches hold", "9 bytes", 0.01)
        return here(prover)(part)

    lender = reuse.start(fib(2, 3), failing)
    borrower = reuse.start(fib(2, 3), submit)
    with pytest.raises(WaitTimeout):
        borrower.wait(0)
    assert same(borrower.wait(), fib(2, 3)) and not refusals
    assert lender


def test_a_cancelled_batch_waits_for_no_other(monkeypatch):
    monkeypatch.setattr(partial, "LOOK", 0.01)
    reuse, asked = Reuse(TraceCache(LIMIT)), threading.Event()

    def slow(timeout):
        asked.set()
        raise WaitTimeout("b1", "RUNNING", timeout)

    lender = reuse.start(fib(2), lambda part: Batch(slow))
    borrower, failed = reuse.start(fib(2), here(Prover())), []

    def wait():
        with pytest.raises(JobAborted) as error:
            borrower.wait()
        failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert asked.wait(10)
    borrower.cancel()
    waiting.join(10)
    assert failed
    # The lender is none of its business: it still lends.
    assert reuse.start(fib(2), lambda part: pytest.fail("it is sent")) and lender


def test_a_ledger_that_is_away_is_no_failure_of_the_lender():
    reuse, prover, away = Reuse(TraceCache(LIMIT)), Prover(), [LedgerDown("there", "gone")]

    def wait(timeout):
        if away:
            raise away.pop()
        return prover(fib(2))

    lender = reuse.start(fib(2), lambda part: Batch(wait))
    borrower = reuse.start(fib(2), lambda part: pytest.fail("it is sent"))
    with pytest.raises(LedgerDown):
        borrower.wait()
    assert same(borrower.wait(), fib(2)) and same(lender.wait(), fib(2))


def test_only_so_many_flights_lend_the_newest():
    keyer, flights = Keyer(), Flights()
    boarded = [flights.board(keyer.keys(fib(n + 1)))[2] for n in range(flight.MOST + 1)]
    wanted = keyer.keys(fib(*range(1, len(boarded) + 1)))
    loans, own, _ = flights.board(wanted)
    assert {loan.flight for loan in loans} == set(boarded[1:]) and own.tolist() == [0]


def test_no_more_keys_are_compared_than_a_few(monkeypatch):
    monkeypatch.setattr(flight, "MOST_KEYS", 5)
    keyer, flights = Keyer(), Flights()
    batches = [fib(1, 2), fib(3, 4), fib(5, 6, 7)]
    boarded = [flights.board(keyer.keys(batch))[2] for batch in batches]
    loans, own, _ = flights.board(keyer.keys(fib(1, 3, 5, 8)))
    assert {loan.flight for loan in loans} == set(boarded[1:]) and own.tolist() == [0, 3]
