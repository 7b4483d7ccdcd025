"""Deadlines: who is too late from the beginning costs nothing, and takes nobody else along."""

import time

import pytest
from hands import ended, kinds, spec, submit, until

from farm import keys
from farm.errors import JobTimedOut
from farm.job import State

pytestmark = pytest.mark.redis

PAST, FAR = 1.0, time.time() + 1e6


def timed_out(ledger, id):
    view = until(lambda: (view := ledger.status(id)).state.ended and view)
    assert view.state is State.TIMED_OUT
    assert isinstance(view.error(), JobTimedOut)
    return view


def test_a_job_that_waited_past_its_deadline_is_not_executed(ledger, blobs, hands, start):
    id = submit(ledger, spec(blobs, deadline=PAST))  # no scheduler is there yet
    start()
    view = timed_out(ledger, id)
    assert hands.seen == []
    assert view.started == 0
    assert ledger.client.hget(keys.session(view.session), "state") == State.ABORTED
    assert not ledger.client.exists(keys.OPEN, keys.SESSIONS)


def test_a_job_that_comes_too_late_is_not_executed(ledger, blobs, hands, start):
    start()
    timed_out(ledger, submit(ledger, spec(blobs, deadline=PAST)))
    # The same again, in time, is a job like any other.
    ended(ledger, submit(ledger, spec(blobs, deadline=FAR)))
    assert kinds(hands).count("execute") == 1


def test_who_waits_with_a_late_one_gets_the_receipt(ledger, blobs, hands, start):
    late = submit(ledger, spec(blobs, deadline=PAST))
    other = ledger.submit(spec(blobs, deadline=FAR), present=blobs.has)
    assert other.attached
    start()
    ended(ledger, other.job)
    timed_out(ledger, late)


def test_a_late_one_that_joins_what_runs_ends_alone(ledger, blobs, hands, start):
    joined = []

    def join(message):
        joined.append(ledger.submit(spec(blobs, deadline=PAST), present=blobs.has))
        timed_out(ledger, joined[0].job)
        hands.do(message)

    hands.whims["prove:0-1"] = join
    start()
    ended(ledger, submit(ledger, spec(blobs)))
    assert joined[0].attached


def test_a_finished_answer_is_given_whatever_the_deadline(ledger, blobs, hands, start):
    start()
    ended(ledger, submit(ledger, spec(blobs)))
    again = ledger.submit(spec(blobs, deadline=PAST), present=blobs.has)
    assert again.answered and ledger.status(again.job).state is State.SUCCEEDED
