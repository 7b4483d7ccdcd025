"""Single submits with the gatherer's own thread: many clients, closing, forks."""

import contextlib
import os
import threading
import time

import pytest
from fake_farm import FakeLedger, MemoryScratch, work_trace

from farm import gather, trace_plain
from farm import settings as config
from farm.client import Farm
from farm.errors import FarmError, WaitTimeout
from farm.job import State


def proof(rounds):
    return trace_plain.prove("fib.v0", rounds, [0, 1])


class Farmed:
    """A farm of stand-ins with the gatherer's own thread; a worker that does all at once."""

    def __init__(self, tmp_path, monkeypatch):
        settings = config.load(state=tmp_path, trace_linger_seconds=0.001)
        self.farm = Farm(settings=settings)
        self.ledger, self.scratch = FakeLedger(), MemoryScratch()
        self.farm.ledger, self.farm.scratch = self.ledger, self.scratch
        self.works, submit = True, self.ledger.trace_submit

        def worked(id, program, count, chunks, **given):
            submit(id, program, count, chunks, **given)
            for chunk in chunks if self.works else ():
                work_trace(self.ledger, self.scratch, chunk.message)
            return True

        monkeypatch.setattr(self.ledger, "trace_submit", worked)
        changes = self.ledger.changes

        def slow(id, after, block_ms):
            time.sleep(0.001)
            return changes(id, after, block_ms)

        monkeypatch.setattr(self.ledger, "changes", slow)


@pytest.fixture
def farmed(tmp_path, monkeypatch):
    made = Farmed(tmp_path, monkeypatch)
    yield made
    made.farm.close()
    assert not [one for one in threading.enumerate() if one.name == "gatherer"]


def test_many_threads_submit_and_wait(farmed):
    found = {}

    def client(number):
        jobs = [farmed.farm.submit_trace("fib.v0", 1 + n % 50, (number, n)) for n in range(300)]
        found[number] = [job.wait(20) for job in jobs]

    threads = [threading.Thread(target=client, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, got in found.items():
        assert got == [trace_plain.prove("fib.v0", 1 + n % 50, (number, n)) for n in range(300)]


def test_flush_returns_once_all_is_accepted(farmed):
    farmed.works = False
    farmed.farm.flush()  # nothing yet
    jobs = [farmed.farm.submit_trace("fib.v0", n) for n in range(1, 9)]
    farmed.farm.flush(20)
    assert {job.state for job in jobs} == {State.ACCEPTED}
    with pytest.raises(WaitTimeout):
        jobs[0].wait(0.01)


def test_flush_raises_why_something_was_not_accepted(farmed):
    farmed.ledger.refusals = [FarmError("no")]
    farmed.farm.submit_trace("fib.v0", 1)
    with pytest.raises(FarmError, match="no"):
        farmed.farm.flush(20)
    farmed.farm.flush(20)  # it was said


def test_an_error_nobody_thought_of_reaches_who_waits(farmed, monkeypatch):
    monkeypatch.setattr(farmed.ledger, "trace_submit", lambda *_, **__: {}["a bug"])
    with pytest.raises(FarmError, match="client: KeyError: 'a bug'"):
        farmed.farm.submit_trace("fib.v0", 1).wait(20)


def test_a_closed_farm_goes_on_when_it_is_used_again(farmed):
    farmed.works = False
    job = farmed.farm.submit_trace("fib.v0", 3)
    farmed.farm.close()
    assert job.state is State.ACCEPTED
    work_trace(farmed.ledger, farmed.scratch, *_messages(farmed.ledger))
    assert job.wait(20) == proof(3)
    farmed.works = True
    assert farmed.farm.submit_trace("fib.v0", 4).wait(20) == proof(4)


def _messages(ledger):
    return [chunk.message for chunks in ledger.chunks.values() for chunk in chunks]


def test_a_thread_without_work_ends_and_is_started_again(farmed, monkeypatch):
    monkeypatch.setattr(gather, "REST_SECONDS", 0.01)
    for rounds in (3, 4):
        assert farmed.farm.submit_trace("fib.v0", rounds).wait(20) == proof(rounds)
        thread = farmed.farm._gatherer._thread
        if thread:
            thread.join(20)
        assert farmed.farm._gatherer._thread is None


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_has_a_gatherer_of_its_own(farmed):
    farmed.works = False
    job = farmed.farm.submit_trace("fib.v0", 3)
    farmed.farm.flush(20)
    child = os.fork()
    if not child:
        status = 1
        with contextlib.suppress(BaseException):
            with pytest.raises(FarmError, match="before a fork"):
                job.wait(5)
            farmed.works = True
            assert farmed.farm.submit_trace("fib.v0", 4).wait(5) == proof(4)
            status = 0
        os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    work_trace(farmed.ledger, farmed.scratch, *_messages(farmed.ledger))
    assert job.wait(20) == proof(3)
