"""Trace proofs through a real broker and a real worker process; small batches need a scheduler."""

import asyncio
import contextlib
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from hands import until

from farm import AsyncFarm, Farm, keys, trace_plain
from farm import settings as config
from farm.errors import BadTrace, Busy, InputTooLarge, LedgerDown
from farm.job import State

pytestmark = pytest.mark.redis


@pytest.fixture
def settings(ledger_url, tmp_path):
    return config.load(ledger_url=ledger_url, state=tmp_path, beat_seconds=0.1)


@pytest.fixture
def worker(settings):
    given = {"FARM_LEDGER_URL": settings.ledger_url, "FARM_STATE": str(settings.state)}
    command = [sys.executable, "-m", "farm", "worker", "--kind", "trace", "--slot", "trace-test-0"]
    running = subprocess.Popen(command, env=os.environ | given | {"FARM_TRACE_ROUNDS_LIMIT": "500"})
    yield running
    running.terminate()
    assert running.wait(20) == 0


@pytest.fixture
def farm(settings):
    with Farm(settings=settings) as made:
        yield made


def test_a_batch_comes_back_in_order_and_leaves_nothing(farm, worker):
    witness = np.stack([np.arange(40_000), np.ones(40_000)], axis=1).astype("u8")
    batch = farm.submit_many("fib.v0", 20 + np.arange(40_000) % 50, witness)
    told = []
    done = batch.wait(timeout=60, progress=told.append)
    assert len(done) == len(batch) == 40_000
    assert batch.verify() == 40_000
    assert told[-1].state == "SUCCEEDED" and told[-1].done == 3
    assert list(farm.scratch._client.keys("farm:blob:*")) == []
    assert farm.ledger.client.keys("farm:batch:*") == []


def test_rows_that_cannot_be_proved_fail_alone(farm, worker, start):
    start()
    proofs = list(farm.submit_many("fib.v0", [10, 0, 501, 200]))
    assert proofs[0] == trace_plain.prove("fib.v0", 10, [0, 1])
    assert proofs[3] == trace_plain.prove("fib.v0", 200, [0, 1])
    assert all(isinstance(proof, BadTrace) for proof in proofs[1:3])


def test_messages_of_any_length_are_hashed(farm, worker, start):
    start()
    witness = [[], [1, 2, 3, 4], [5], list(range(100))]
    proofs = list(farm.submit_many("sha256.v0", witness=witness))
    assert proofs == [trace_plain.prove("sha256.v0", 0, words) for words in witness]


def test_single_submits_share_batches_and_leave_nothing(farm, worker, start):
    start()
    jobs = [farm.submit_trace("fib.v0", 20 + n % 50, (n, 1)) for n in range(2000)]
    bad = [farm.submit_trace("fib.v0", 501), farm.submit_trace("fib.v0", 0)]
    sha = farm.submit_trace("sha256.v0", witness=[1, 2, 3])
    farm.flush(60)
    assert all(job.state in (State.ACCEPTED, State.SUCCEEDED) for job in jobs)
    for n, job in enumerate(jobs):
        assert job.wait(60) == trace_plain.prove("fib.v0", 20 + n % 50, [n, 1])
    assert sha.wait(60) == trace_plain.prove("sha256.v0", 0, [1, 2, 3])
    for job in bad:
        with pytest.raises(BadTrace):
            job.wait(60)
    farm.close()
    assert list(farm.scratch._client.keys("farm:blob:*")) == []
    assert farm.ledger.client.keys("farm:batch:*") == []
    assert farm.ledger.client.get(keys.HELD) == "0"


def test_single_submits_are_awaited(settings, worker, start):
    start()

    async def main():
        async with AsyncFarm(settings=settings) as farm:
            jobs = [await farm.submit_trace("fib.v0", n) for n in range(1, 300)]
            await farm.flush(60)
            found = await asyncio.gather(*(job.wait(60) for job in jobs))
            with pytest.raises(BadTrace):
                await (await farm.submit_trace("fib.v0", 0)).wait(60)
            return found

    assert asyncio.run(main()) == [trace_plain.prove("fib.v0", n, [0, 1]) for n in range(1, 300)]


def test_a_client_over_the_cap_is_told_and_single_submits_wait(settings, worker, start):
    start()
    # What 4000 rows and their results take, and hardly more.
    small = settings.model_copy(update={"trace_bytes_in_flight": 278_000})
    with Farm(settings=small) as farm:
        with pytest.raises(InputTooLarge):
            farm.submit_many("fib.v0", [5] * 10_000)
        first = farm.submit_many("fib.v0", [5] * 4000)
        for _ in range(2):
            with pytest.raises(Busy, match="retry after 1 s"):
                farm.submit_many("fib.v0", [5] * 4000)
        jobs = [farm.submit_trace("fib.v0", 1 + n % 400) for n in range(2000)]
        time.sleep(0.2)
        assert {job.state for job in jobs} == {State.BUFFERED}
        first.wait(60)
        assert [job.wait(60).steps for job in jobs] == [3 + n % 400 for n in range(2000)]


def answers(farm):
    with contextlib.suppress(LedgerDown):
        return farm.ledger.slots() is not None
    return False


def test_messages_go_on_after_the_broker_came_back(server, settings, farm, worker):
    first = farm.submit_many("fib.v0", [5] * 3000)
    assert len(first.wait(60)) == 3000
    server.kill()
    server.start()
    until(lambda: answers(farm))
    again = farm.submit_many("fib.v0", [6] * 3000)
    assert len(again.wait(60)) == 3000
