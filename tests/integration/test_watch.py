"""The watch over a leased step: who still makes progress keeps it, who hangs is ended."""

import os
import signal
import threading
import time

import pytest

from farm.errors import LedgerDown, StepHung, StepTooLong
from farm.host import HostChild
from farm.settings import Settings
from farm.watch import Dropped, Watch


class Still:
    """A child that does nothing until it is told how much CPU time it has used."""

    def __init__(self):
        self.cpu, self.reason, self.killed = 0.0, None, threading.Event()

    def cpu_seconds(self):
        return self.cpu

    def kill(self, reason=None):
        self.reason = self.reason or reason
        self.killed.set()


class Busy(Still):
    def cpu_seconds(self):
        self.cpu += 0.01
        return self.cpu


def quick(**given):
    return Settings(**{"beat_seconds": 0.02, "stall_seconds": 0.2} | given)


def renewals(answers=True):
    seen = []

    def renew():
        seen.append(time.monotonic())
        if isinstance(answers, Exception):
            raise answers
        return answers

    return seen, renew


def test_a_lease_is_renewed_while_the_worker_fetches_or_waits():
    seen, renew = renewals()
    with Watch(renew, quick(), 60) as watch:
        time.sleep(0.2)
        watch.check()
    assert len(seen) >= 4


def test_a_lease_is_renewed_while_the_child_uses_cpu():
    seen, renew = renewals()
    child = Busy()
    with Watch(renew, quick(), 60) as watch, watch.over(child, "prove"):
        time.sleep(0.4)
    assert len(seen) >= 8
    assert not child.killed.is_set()


def test_a_child_that_stands_still_loses_its_life_and_then_the_lease():
    seen, renew = renewals()
    child = Still()
    with Watch(renew, quick(), 60) as watch, watch.over(child, "prove"):
        assert child.killed.wait(5)
    assert isinstance(child.reason, StepHung)
    assert str(child.reason) == "host prove: no progress for 0.2 s, child killed"
    # Until then it is ours: the reason reaches the scheduler before the lease runs out.
    assert 0 < len(seen) <= 10


def test_what_the_worker_stores_in_the_middle_of_a_request_is_progress():
    seen, renew = renewals()
    child = Still()
    with Watch(renew, quick(), 60) as watch, watch.over(child, "execute"):
        with watch.storing():
            time.sleep(0.4)
        assert not child.killed.is_set()
        assert len(seen) >= 8


def test_a_step_that_goes_on_past_its_limit_is_ended():
    child = Busy()
    _, renew = renewals()
    with Watch(renew, quick(), 0.1) as watch, watch.over(child, "lift"):
        assert child.killed.wait(5)
    assert isinstance(child.reason, StepTooLong)


def test_the_limit_counts_from_when_the_host_was_asked():
    child = Busy()
    _, renew = renewals()
    with Watch(renew, quick(), 0.3) as watch:
        time.sleep(0.4)
        with watch.over(child, "lift"):
            time.sleep(0.1)
    assert not child.killed.is_set()


def test_a_cancelled_step_ends_the_child_and_everything_after():
    child = Busy()
    _, renew = renewals(False)
    with Watch(renew, quick(), 60) as watch:
        with watch.over(child, "prove"):
            assert child.killed.wait(5)
        assert isinstance(child.reason, Dropped)
        with pytest.raises(Dropped):
            watch.check()
        with pytest.raises(Dropped), watch.over(Still(), "lift"):
            pytest.fail("a dropped step asks nothing more")


@pytest.mark.parametrize("trouble", [LedgerDown("x", "gone"), ValueError("a bug")])
def test_a_proof_goes_on_while_the_ledger_is_away(trouble):
    seen, renew = renewals(trouble)
    child = Busy()
    with Watch(renew, quick(), 60) as watch:
        with watch.over(child, "prove"):
            time.sleep(0.2)
        watch.check()
    assert seen
    assert not child.killed.is_set()


def test_a_stopped_child_is_found_hung(standin):
    child = HostChild(standin())
    _, renew = renewals()
    threading.Timer(0.2, os.kill, [child.pid, signal.SIGSTOP]).start()
    settings = quick(beat_seconds=0.1, stall_seconds=0.5)
    with (
        Watch(renew, settings, 60) as watch,
        watch.over(child, "spin"),
        pytest.raises(StepHung, match="host spin: no progress"),
    ):
        child.request("spin", {"spin": 30})
    child.close()
