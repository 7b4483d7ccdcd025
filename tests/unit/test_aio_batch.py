"""Awaiting batches: cancelled, a wait lets its thread go, and the next one gets all there is."""

import asyncio
import threading

import pytest
from batches import World, expected
from fake_farm import DOWN, change

from farm import aio, follow, parcels, trace
from farm.aio import AsyncBatch
from farm.batch import Batch
from farm.errors import JobAborted, WaitTimeout
from farm.flight import Once
from farm.job import State
from farm.reused import ReusedBatch
from farm.witness import read_inputs


@pytest.fixture(autouse=True)
def short_looks(monkeypatch):
    monkeypatch.setattr(parcels, "ROWS", 4)
    monkeypatch.setattr(parcels, "SMALL_ROWS", 0)  # all messages are the client's
    monkeypatch.setattr(aio, "LOOK", 0.02)
    monkeypatch.setattr(follow, "AGAIN", 0.001)


@pytest.fixture
def world():
    made = World()
    changes = made.ledger.changes

    def slow(id, after, block_ms):
        threading.Event().wait(0.001)
        return changes(id, after, block_ms)

    made.ledger.changes = slow
    return made


class Counted:
    """Counts the threads that wait for a batch."""

    def __init__(self, batch, monkeypatch):
        self.inside, self.entered = 0, threading.Event()
        wait = batch.wait

        def counted(*given):
            self.inside += 1
            self.entered.set()
            try:
                return wait(*given)
            finally:
                self.inside -= 1

        monkeypatch.setattr(batch, "wait", counted)

    async def left(self):
        for _ in range(1000):
            if not self.inside:
                return True
            await asyncio.sleep(0.01)
        return False


def work_all(world):
    for at in range(3):
        world.work(at)


def rows(outputs, world):
    return [outputs.row(world.batch.inputs.program, at, 0) for at in range(len(outputs))]


async def cancelled(task):
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_wait_that_is_cancelled_lets_its_thread_go(world, monkeypatch):
    async def main():
        batch, counted = AsyncBatch(world.batch), Counted(world.batch, monkeypatch)
        task = asyncio.create_task(batch.wait())
        await asyncio.to_thread(counted.entered.wait, 10)
        await cancelled(task)
        assert await counted.left()
        work_all(world)
        return rows(await batch.wait(), world)

    assert asyncio.run(main()) == expected()


def test_a_reused_batch_lets_its_thread_go_too(monkeypatch):
    class Slow(Batch):
        """Is there once the test says so."""

        id = "b1"

        def __init__(self, inputs):
            self.done, self.asked = threading.Event(), inputs

        def wait(self, timeout=None, progress=None):
            if not self.done.wait(timeout):
                raise WaitTimeout(self.id, State.RUNNING, timeout)
            return trace.prove(self.asked, 100)

    sent = []

    def send(inputs):
        sent.append(Slow(inputs))
        return sent[-1]

    async def main():
        inputs = read_inputs("fib.v0", [1, 2, 3])
        reused = ReusedBatch(inputs, lambda inputs, submit: Once(submit(inputs)), send)
        batch, counted = AsyncBatch(reused), Counted(reused, monkeypatch)
        task = asyncio.create_task(batch.wait())
        await asyncio.to_thread(counted.entered.wait, 10)
        await cancelled(task)
        assert await counted.left()
        with pytest.raises(WaitTimeout, match=r"after 0\.1 s"):
            await batch.wait(0.1)
        sent[0].done.set()
        assert await batch.verify() == 3
        return [proof async for proof in batch]

    assert asyncio.run(main()) == expected([1, 2, 3])


@pytest.mark.parametrize("iterate", [False, True])
def test_a_thread_that_was_let_go_loses_nothing(world, iterate):
    """The first wait's thread has taken results from the store, and the wait is gone."""
    taking, go, take = threading.Event(), threading.Event(), world.scratch.take_all

    def slow(refs, drop):
        found = take(refs, drop)
        taking.set()
        go.wait(10)
        return found

    world.scratch.take_all = slow

    async def main():
        batch = AsyncBatch(world.batch)
        work_all(world)
        task = asyncio.create_task(batch.wait())
        await asyncio.to_thread(taking.wait, 10)
        await cancelled(task)
        again = asyncio.create_task(listed(batch) if iterate else batch.wait())
        await asyncio.sleep(0.05)  # it has looked as well by then
        go.set()
        return await again

    async def listed(batch):
        return [proof async for proof in batch]

    found = asyncio.run(main())
    assert (found if iterate else rows(found, world)) == expected()
    assert len(world.ledger.chunks) == 1


def test_each_change_is_told_once_however_many_looks_it_takes(world):
    told = []

    async def main():
        batch = AsyncBatch(world.batch)
        with pytest.raises(WaitTimeout, match=rf"job {batch.id} is still RUNNING after 0\.2 s"):
            await batch.wait(0.2, told.append)
        assert [one.id for one in told] == ["1-0", "2-0"]

    def changes(id, after, block_ms):
        threading.Event().wait(0.001)
        return [one for one in (change(1), change(2)) if one.id > after]

    world.ledger.changes = changes
    asyncio.run(main())


def test_an_outage_longer_than_a_look_is_waited_out(world):
    world.ledger.answered = True
    world.ledger.script = [DOWN] * 60

    async def main():
        task = asyncio.create_task(AsyncBatch(world.batch).wait())
        while world.ledger.script:
            await asyncio.sleep(0.01)
        work_all(world)
        return rows(await task, world)

    assert asyncio.run(main()) == expected()


def test_an_outage_that_lasts_ends_the_wait(world, monkeypatch):
    monkeypatch.setattr(follow, "PATIENCE", 0.05)
    world.ledger.answered = True

    def away(*given):
        raise DOWN

    world.ledger.changes = away
    with pytest.raises(type(DOWN)):
        asyncio.run(AsyncBatch(world.batch).wait())


def test_a_wait_for_a_batch_that_is_cancelled_says_so(world):
    async def main():
        batch = AsyncBatch(world.batch)
        task = asyncio.create_task(batch.wait())
        await asyncio.sleep(0.01)
        assert await batch.cancel() and (await batch.status()).state is State.ABORTED
        with pytest.raises(JobAborted):
            await task

    asyncio.run(main())
