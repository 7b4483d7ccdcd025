"""Waiting for a job: what is told, when it ends, and what a ledger that is away does to it."""

import pytest
from fake_farm import DOWN, FakeLedger, change

from farm import follow as module
from farm.errors import LedgerDown, UnknownJob, WaitTimeout
from farm.follow import Clock, follow
from farm.job import State


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(module, "AGAIN", 0.0)
    monkeypatch.setattr(module, "LOOK", 0.01)


def running():
    return State.RUNNING


def told(ledger, state=running, timeout=None):
    return [one.id for changes in follow(ledger, "j1", state, Clock(timeout)) for one in changes]


def test_all_changes_are_told_up_to_the_end():
    ledger = FakeLedger([[change(1)], [], [change(2), change(3, State.SUCCEEDED)]])
    assert told(ledger) == ["1-0", "2-0", "3-0"]
    assert [after for after, _ in ledger.asked] == ["0", "1-0", "1-0"]


def test_a_job_that_ended_long_ago_is_not_waited_for():
    ledger = FakeLedger()
    assert told(ledger, lambda: State.SUCCEEDED) == []
    assert ledger.asked == [("0", 0)]


def test_an_end_that_left_no_change_is_noticed():
    states = iter([State.RUNNING, State.FAILED])
    assert told(FakeLedger([[change(1)]]), lambda: next(states)) == ["1-0"]


def test_a_ledger_that_comes_back_is_waited_for():
    ledger = FakeLedger([[change(1)], DOWN, DOWN, [change(2, State.SUCCEEDED)]])
    assert told(ledger) == ["1-0", "2-0"]


def test_a_ledger_that_stays_away_ends_the_wait(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with pytest.raises(LedgerDown):
        told(FakeLedger([[change(1)], DOWN, DOWN]))


def test_a_ledger_that_was_never_there_is_not_waited_for():
    with pytest.raises(LedgerDown):
        told(FakeLedger([DOWN, [change(1)]]))


def test_an_outage_right_after_submitting_is_waited_out():
    ledger = FakeLedger([DOWN, [change(1, State.SUCCEEDED)]])
    ledger.answered = True
    assert told(ledger) == ["1-0"]


def test_waiting_ends_in_time():
    with pytest.raises(WaitTimeout, match=r"job j1 is still RUNNING after 0\.02 s"):
        told(FakeLedger([[change(1)]]), timeout=0.02)


def test_an_unknown_job_is_not_waited_for():
    def state():
        raise UnknownJob("j1")

    with pytest.raises(UnknownJob):
        told(FakeLedger(), state)
