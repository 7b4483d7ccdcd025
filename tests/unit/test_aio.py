"""The client for asyncio: the same answers, and a loop that is never blocked."""

import asyncio
import time

import pytest
from fake_farm import FakeLedger, MemoryBlobs, MemoryScratch, change, view

from farm import AsyncFarm, trace, trace_plain, verify
from farm import settings as config
from farm.errors import BadProgram
from farm.job import State
from farm.verify import Verified


@pytest.fixture
def farm(tmp_path, monkeypatch):
    made = AsyncFarm(settings=config.load(state=tmp_path, trace_cache="off"))
    made.farm.ledger, made.farm.blobs, made.farm.scratch = (
        FakeLedger(),
        MemoryBlobs(),
        MemoryScratch(),
    )
    monkeypatch.setattr(verify, "image_id", lambda program, settings: "ab" * 32)
    monkeypatch.setattr(verify, "verify", lambda *_: Verified("succinct", "cd" * 32, b"journal"))
    monkeypatch.setattr(made.farm, "_send", lambda messages: None)
    return made


def test_a_job_is_submitted_and_waited_for(farm):
    async def main():
        job = await farm.submit(b"program", b"input", po2=16)
        spec = farm.farm.ledger.specs[0]
        ref = farm.farm.blobs.put(b"receipt")
        farm.farm.ledger.views[job.id] = view(spec, State.SUCCEEDED, receipt=ref)
        farm.farm.ledger.script = [[change(1)], [change(2, State.SUCCEEDED)]]
        told = []
        receipt = await job.wait(progress=told.append)
        assert (await job.status()).state is State.SUCCEEDED
        assert [one.id for one in await farm.jobs()] == [job.id]
        assert not await job.cancel()
        return receipt, told

    receipt, told = asyncio.run(main())
    assert receipt.journal == b"journal" and len(told) == 2


def test_what_was_executed_and_written_comes_through(farm):
    async def main():
        first = await farm.submit(b"other", mode="trace")
        farm.farm.ledger.views[first.id] = view(farm.farm.ledger.specs[0], State.RUNNING)
        job = await farm.submit(b"program", mode="execute", assumptions=[first, first.id])
        spec = farm.farm.ledger.specs[1]
        ref = farm.farm.blobs.put(b"journal")
        kept = {"segments": 2, "stdout": ref, "stderr": ""}
        done = view(spec, State.SUCCEEDED, receipt=ref, journal=ref, stats=kept)
        farm.farm.ledger.views[job.id] = done
        farm.farm.ledger.script = [[change(1, State.SUCCEEDED)]]
        return spec, await job.result(), await job.logs()

    spec, found, logs = asyncio.run(main())
    assert len({*spec.assumptions}) == 1
    assert (found.journal, found.segments, logs) == (b"journal", 2, (b"journal", b""))


def test_errors_come_through(farm):
    async def main():
        await farm.submit(b"")

    with pytest.raises(BadProgram):
        asyncio.run(main())


def test_the_loop_goes_on_while_a_job_is_waited_for(farm, monkeypatch):
    async def main():
        job = farm.job("j1")
        monkeypatch.setattr(farm.farm.ledger, "changes", lambda *_: time.sleep(0.2) or [change(1)])
        waiting = asyncio.create_task(job.wait())
        ticks = 0
        while ticks < 5:
            await asyncio.sleep(0.01)
            ticks += 1
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    start = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - start < 1


def test_a_batch_is_iterated(farm):
    async def main():
        async with farm:
            batch = await farm.submit_many("fib.v0", [1, 2, 3])
            batch.batch._entry.taken[0] = await asyncio.to_thread(proved, batch.batch.inputs)
            assert len(batch) == 3 and await batch.verify() == 3
            assert len(await batch.wait()) == 3
            assert (await batch.status()).count == 3
            assert await batch.cancel()
            return [proof async for proof in batch]

    assert asyncio.run(main()) == [trace_plain.prove("fib.v0", n, [0, 1]) for n in (1, 2, 3)]


def proved(inputs):
    return trace.prove(inputs, 100)
