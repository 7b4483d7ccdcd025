"""kill -9 while a job proves: the job ends verified, and only what was in flight is done again."""

import os
import signal
import time

import pytest
from console import until
from goldens import BLOBS, IMAGES, PO2, SESSIONS, receipt, stdin

from farm import Farm

FIBONACCI = BLOBS / "fibonacci.bin"
#: What a job of two segments asks of the host: execute, 2 x prove, 2 x lift, join.
NEEDED = 6
#: And what a set of two does: execute, union, prove, lift, resolve.
NEEDED_SET = 5


def kill(pid):
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("victim", ["risc0-0", "scheduler", "execute-0", "ledger", "scratch"])
def test_a_process_of_the_farm_is_killed(slow_farm, victim):
    with Farm(settings=slow_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        until(lambda: slow_farm.answers() >= 2)  # executed, and something is being proved
        kill(slow_farm.pid(victim))
        job.wait(120).verify(IMAGES["fibonacci"])
    # A step that was in flight on each of the two slots, lift included, may be done again.
    assert slow_farm.answers() <= NEEDED + 4


def test_a_host_child_is_killed(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        until(lambda: slow_farm.answers() >= 2)
        for child in slow_farm.hosts("risc0-0"):
            kill(child.pid)
        job.wait(120).verify(IMAGES["fibonacci"])
        assert slow_farm.answers() <= NEEDED + 2


def test_a_host_child_that_hangs_is_found(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        until(lambda: slow_farm.answers() >= 2)
        for child in slow_farm.hosts("risc0-0"):
            child.suspend()
        job.wait(120).verify(IMAGES["fibonacci"])


def test_everything_is_killed_at_once_and_started_again(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        jobs = [farm.submit(FIBONACCI, stdin(name), po2=PO2) for name in ("two", "seven")]
        until(lambda: slow_farm.answers() >= 2)
        slow_farm.kill_all()
        slow_farm.start()
        for job in jobs:
            job.wait(120).verify(IMAGES["fibonacci"])


@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("victim", ["risc0-0", "risc0-1", "scheduler", "execute-0", "ledger"])
def test_a_process_is_killed_while_a_set_is_made(slow_farm, victim, after):
    with Farm(settings=slow_farm.settings) as farm:
        before = slow_farm.answers()
        job = farm.aggregate([receipt("one"), receipt("compose")], po2=SESSIONS["set"]["po2"])
        until(lambda: slow_farm.answers() >= before + after)
        kill(slow_farm.pid(victim))
        job.wait(120).verify(IMAGES["set-builder"])
        assert [one.error for one in job.members()] == [None, None]
        assert slow_farm.answers() - before <= NEEDED_SET + 4


def test_a_worker_that_leaves_finishes_its_step_first(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        until(lambda: slow_farm.answers() >= 2)
        os.kill(slow_farm.pid("risc0-0"), signal.SIGTERM)
        job.wait(120).verify(IMAGES["fibonacci"])
        assert slow_farm.answers() == NEEDED


def test_trace_batches_outlive_their_worker(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        batch = farm.submit_many("fib.v0", rounds=[2000] * 60_000)
        time.sleep(0.3)
        kill(slow_farm.pid("trace-0"))
        batch.wait(120)
        assert batch.verify(0.001) == 60
