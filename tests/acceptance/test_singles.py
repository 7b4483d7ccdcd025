"""Single traces through a real farm, while clients and workers are killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from console import farm_in, until

from farm import Farm, trace_plain
from farm.book import Book
from farm.embedded import urls

#: A client that asks for traces and never takes one.
CLIENT = """
from farm import Farm
farm = Farm()
while True:
    for n in range(300):
        farm.submit_trace("fib.v0", 20 + n % 50, (n, 1))
    farm.flush(60)
    print("accepted", flush=True)
"""


QUICK = {"beat_seconds": 0.25, "resend_seconds": 3}


@pytest.fixture(scope="module")
def farm(tmp_path_factory):
    yield from farm_in(tmp_path_factory.mktemp("farm"), **QUICK)


@pytest.fixture
def slow_worker(tmp_path):
    """A farm whose one trace worker has no kernel."""
    yield from farm_in(tmp_path, kernel="numpy", trace_slots=1, **QUICK)


def asks(farm, count, word):
    return [farm.submit_trace("fib.v0", 20 + n % 50, (n, word)) for n in range(count)]


def right(jobs, word):
    expected = (trace_plain.prove("fib.v0", 20 + n % 50, [n, word]) for n in range(len(jobs)))
    return all(job.wait(120) == proof for job, proof in zip(jobs, expected, strict=True))


def test_traces_asked_for_one_by_one_come_back(farm):
    with Farm(settings=farm.settings) as client:
        assert right(asks(client, 5000, 7), 7)


def test_a_client_that_is_killed_leaves_the_others_alone(farm):
    command = [sys.executable, "-c", CLIENT]
    with subprocess.Popen(command, env=farm.env, stdout=subprocess.PIPE) as killed:
        assert killed.stdout.readline() == b"accepted\n"
        with Farm(settings=farm.settings) as client:
            jobs = asks(client, 2000, 9)
            killed.send_signal(signal.SIGKILL)
            assert right(jobs, 9)
    # What was accepted is made, whether anybody takes it or not.
    book = Book.at(urls(farm.settings).ledger)
    until(lambda: not book.batches(), 60)
    book.client.close()


def test_workers_that_are_killed_lose_nothing(farm):
    found, over = [], threading.Event()

    def client(word):
        with Farm(settings=farm.settings) as one:
            while not over.is_set():
                found.append(right(asks(one, 1000, word), word))

    clients = [threading.Thread(target=client, args=(word,)) for word in (1, 2, 3)]
    for one in clients:
        one.start()
    for name in ("trace-0", "trace-1", "trace-0"):
        time.sleep(1)  # they are in the middle of it
        if pid := farm.pid(name):
            os.kill(pid, signal.SIGKILL)
    over.set()
    for one in clients:
        one.join()
    assert len(found) >= 3 and all(found)


def together(book):
    """Return whether a worker has several chunks of one message in hand."""
    records = (record for batch in book.batches() for record in book.chunks(batch).values())
    leases = Counter(record.token for record in records if record.state == "LEASED")
    return max(leases.values(), default=0) > 1


def test_a_message_of_several_chunks_is_lost_with_its_worker_and_none_of_them(slow_worker):
    book = Book.at(urls(slow_worker.settings).ledger)
    with Farm(settings=slow_worker.settings) as client:
        # Narrow batches take long without the kernel, and are small enough to share a message.
        batches = [client.submit_many("fib.v0", [8000] * 30) for _ in range(40)]
        until(lambda: together(book))
        os.kill(slow_worker.pid("trace-0"), signal.SIGKILL)
        expected = trace_plain.prove("fib.v0", 8000, [0, 1])
        for batch in batches:
            assert list(batch) == [expected] * 30
    book.client.close()
    log = (slow_worker.state / "logs" / "scheduler.log").read_text()
    assert log.count("chunk sent again") > 1
