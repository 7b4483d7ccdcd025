"""The caches before a real worker: what one client has proved, another does not ask for."""

import contextlib
import os
import subprocess
import sys

import pytest
from hands import until

from farm import Farm, keys, trace_plain
from farm import settings as config
from farm.batch import Batch
from farm.errors import JobAborted
from farm.job import State
from farm.reused import Reused
from farm.witness import read_inputs
from farm.worth import Use

pytestmark = pytest.mark.redis


@pytest.fixture
def settings(ledger_url, tmp_path):
    return config.load(ledger_url=ledger_url, state=tmp_path, beat_seconds=0.1)


@contextlib.contextmanager
def working(settings):
    given = {"FARM_LEDGER_URL": settings.ledger_url, "FARM_STATE": str(settings.state)}
    command = [sys.executable, "-m", "farm", "worker", "--kind", "trace", "--slot", "trace-test-0"]
    running = subprocess.Popen(command, env=os.environ | given)
    try:
        yield
    finally:
        running.terminate()
        assert running.wait(20) == 0


@pytest.fixture
def worker(settings, start):
    start()  # small batches are put together by the scheduler
    with working(settings):
        yield


class Client:
    """A client whose caches are always used; `sent` are the rows that it had to ask for."""

    def __init__(self, settings):
        self.farm, self.sent = Farm(settings=settings), []
        self.reused = Reused(settings, self.farm._urls.scratch, self.farm.ledger.models)
        for layer in (self.reused._near, self.reused._far):
            layer.worth.choose = lambda rows, cost: Use.ALL

    def submit(self, *rounds):
        def send(inputs):
            self.sent += inputs.rounds.tolist()
            return Batch.submit(inputs, self.farm._intake)

        return self.reused.submit(read_inputs("fib.v0", list(rounds)), send)

    def close(self):
        self.reused.close()
        self.farm.close()


@pytest.fixture
def clients(settings):
    made = [Client(settings) for _ in range(2)]
    yield made
    for client in made:
        client.close()


def expected(*rounds):
    return [trace_plain.prove("fib.v0", n, [0, 1]) for n in rounds]


def test_nothing_is_proved_twice(worker, clients):
    first, second = clients
    assert list(first.submit(5, 6, 5)) == expected(5, 6, 5)
    assert list(first.submit(6, 7)) == expected(6, 7)
    assert list(second.submit(7, 8, 5)) == expected(7, 8, 5)
    assert list(second.submit(8, 7)) == expected(8, 7)
    assert (first.sent, second.sent) == ([5, 6, 7], [8])


def test_two_batches_under_way_share_what_both_want(worker, clients):
    client = clients[0]
    batches = [client.submit(5, 6), client.submit(6, 7)]
    assert list(batches[1]) == expected(6, 7) and list(batches[0]) == expected(5, 6)
    assert client.sent == [5, 6, 7]
    assert batches[0].verify() == 2


def test_a_batch_that_borrows_everything_has_a_state_of_its_own(clients, settings, start):
    client = clients[0]
    lender, borrower, cancelled = (client.submit(5, 6) for _ in range(3))
    assert lender.status().chunks == 1 and borrower.status().state is State.RUNNING
    assert cancelled.cancel() and cancelled.status().state is State.ABORTED
    with pytest.raises(JobAborted):
        cancelled.wait()
    start()
    with working(settings):
        until(lambda: borrower.status().state is State.SUCCEEDED)
    assert list(borrower) == list(lender) == expected(5, 6)
    assert lender.status().state is State.SUCCEEDED and client.sent == [5, 6]


def test_a_batch_that_was_cancelled_holds_up_nobody(clients, settings, start):
    client = clients[0]
    first = client.submit(5, 6)
    second = client.submit(6, 7)
    assert first.cancel() and first.status().state is State.ABORTED
    with pytest.raises(JobAborted):
        first.wait()
    assert client.farm.ledger.client.get(keys.HELD) != "0"  # of the second
    start()
    with working(settings):
        assert list(second) == expected(6, 7)
    assert client.sent == [5, 6, 7, 6]
    assert client.farm.ledger.client.get(keys.HELD) == "0"
