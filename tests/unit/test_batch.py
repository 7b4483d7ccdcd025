"""A batch of trace proofs: its chunks, the order of its results, what it leaves behind."""

import msgspec
import pytest
from batches import World, expected
from fake_farm import DOWN, FakeLedger, MemoryScratch, intake

from farm import entry as module
from farm import parcels
from farm.batch import Batch
from farm.columns import Outputs
from farm.embedded import SCRATCH_BYTES
from farm.errors import (
    BadTrace,
    Busy,
    FarmError,
    InputTooLarge,
    JobAborted,
    LedgerDown,
    StoreFailed,
    VerificationFailed,
)
from farm.job import State
from farm.settings import Settings
from farm.witness import read_inputs


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(parcels, "ROWS", 4)
    monkeypatch.setattr(parcels, "SMALL_ROWS", 0)  # all messages are the client's


def test_a_batch_is_split_recorded_and_sent():
    world = World()
    steps = [message.kwargs["step"] for message in world.sent]
    assert steps == ["trace:0-4", "trace:4-8", "trace:8-10"]
    assert {message.queue for message in world.sent} == {"trace"}
    assert world.sent[2].repr == f"fib.v0 x 2 of batch {world.batch.id}"
    assert world.ledger.batches[world.batch.id].count == 10


def test_results_come_in_order_whatever_order_they_are_made_in():
    world = World()
    for at in (2, 0, 1):
        world.work(at)
    assert list(world.batch) == expected()
    assert list(world.batch) == expected()  # taken once, kept by the client


def test_nothing_is_left_once_the_results_are_taken():
    world = World()
    for at in range(3):
        world.work(at)
    assert len(world.batch.wait()) == 10
    assert world.scratch.bodies == {} and world.ledger.batches == {}


def test_equal_witnesses_do_not_share_a_blob():
    world = World(rounds=[7] * 8)
    assert len(world.scratch.bodies) == 2
    world.work(0)
    world.work(1)
    assert list(world.batch) == expected([7] * 8)


def test_one_bad_row_fails_alone():
    world = World(rounds=[1, 2, 3, 4, 5, 0])
    world.work(0)
    world.work(1)
    *good, bad = world.batch
    assert good == expected([1, 2, 3, 4, 5])
    assert isinstance(bad, BadTrace) and "item 5: fib.v0 needs" in str(bad)
    assert world.batch.verify() == 5


def test_a_wrong_proof_does_not_verify():
    def spoil(rows):
        rows.outputs[1] += 1
        return rows

    world = World(rounds=[3, 4, 5])
    world.work(0, spoil)
    with pytest.raises(VerificationFailed, match="item 1"):
        world.batch.verify()


def test_a_sample_is_at_least_one_proof():
    world = World()
    for at in range(3):
        world.work(at)
    assert world.batch.verify(0.001) == 1


def test_results_of_another_chunk_are_refused():
    world = World()
    world.work(0)
    view = world.ledger.batches[world.batch.id]
    nodes = {"trace:4-8": view.nodes["trace:0-4"]}
    world.ledger.script.clear()
    world.ledger.batches[view.id] = msgspec.structs.replace(view, nodes=nodes)
    with pytest.raises(BadTrace, match="results of"):
        world.batch.wait()


def test_too_few_rows_are_refused():
    def cut(rows):
        return Outputs(rows.outputs[1:], rows.steps[1:], rows.commitments[1:], rows.codes[1:])

    world = World(rounds=[3, 4, 5])
    world.work(0, cut)
    with pytest.raises(BadTrace, match="came back with 2 rows"):
        world.batch.wait()


@pytest.mark.parametrize(
    ("state", "code", "error"),
    [(State.ABORTED, "JobAborted", JobAborted), (State.FAILED, "FarmError", FarmError)],
)
def test_a_batch_that_ended_otherwise_says_why(state, code, error):
    world = World()
    view = world.ledger.batches[world.batch.id]
    failed = msgspec.structs.replace(view, state=state, code=code, facts=["why"])
    world.ledger.batches[view.id] = failed
    with pytest.raises(error):
        world.batch.wait()
    assert world.scratch.bodies == {} and world.ledger.released == [world.batch.id]


def test_an_empty_batch_is_done_at_once():
    world = World(rounds=[])
    assert list(world.batch) == [] and len(world.batch.wait()) == 0
    assert world.sent == [] and world.ledger.batches == {}


def test_a_broker_that_is_away_does_not_lose_an_accepted_batch():
    def away(messages):
        raise DOWN

    ledger = FakeLedger()
    batch = Batch.submit(read_inputs("fib.v0", [1]), intake(ledger, MemoryScratch(), away))
    assert batch.id in ledger.batches


def test_messages_of_small_chunks_are_left_to_the_scheduler(monkeypatch):
    monkeypatch.setattr(parcels, "SMALL_ROWS", 4)
    world = World()
    assert [message.kwargs["step"] for message in world.sent] == ["trace:0-4", "trace:4-8"]
    chunks = world.ledger.chunks[world.batch.id]
    assert [chunk.small for chunk in chunks] == [False, False, True]
    assert chunks[2].message.kwargs["args"] == {"rows": 2, "steps": 9 + 10 + 4}


def test_a_chunk_of_few_rows_that_take_long_is_not_small(monkeypatch):
    monkeypatch.setattr(parcels, "SMALL_ROWS", 4)
    world = World(rounds=[parcels.SMALL_STEPS])
    assert len(world.sent) == 1


def test_a_chunk_takes_no_longer_than_it_should():
    rounds = parcels.STEPS_A_SECOND // 100
    world = World(rounds=[rounds - 2] * 4, latency_s=0.02)
    assert [message.kwargs["step"] for message in world.sent] == ["trace:0-2", "trace:2-4"]


def test_a_busy_farm_is_left_as_it_was():
    world = World()
    before = dict(world.scratch.bodies)
    world.ledger.refusals = [Busy("what trace batches hold", "9 bytes", 1)]
    with pytest.raises(Busy):
        world.submit([1, 2])
    assert world.scratch.bodies == before and len(world.sent) == 3


def test_a_large_batch_asks_for_room_before_it_uploads(monkeypatch):
    monkeypatch.setattr(module, "LARGE", 100)
    world = World()
    world.ledger.refusals = [Busy("what trace batches hold", "9 bytes", 1)]
    monkeypatch.setattr(world.scratch, "put", lambda body: pytest.fail("it uploads"))
    with pytest.raises(Busy):
        world.submit([1, 2])


def test_a_full_scratch_server_is_a_busy_farm():
    world = World()

    def full(body):
        raise StoreFailed("scratch", "used memory > 'maxmemory'")

    world.scratch.put = full
    with pytest.raises(Busy, match="scratch server"):
        world.submit([1])


def test_a_batch_that_will_never_fit_is_too_large():
    with pytest.raises(InputTooLarge):
        World(held_limit=100)


def test_the_size_of_a_batch_covers_what_it_puts_into_the_scratch_store():
    world = World()
    inputs = sum(map(len, world.scratch.bodies.values()))
    for at in range(3):
        world.work(at)
    stored = sum(map(len, world.scratch.bodies.values()))
    assert inputs < stored <= world.ledger.sizes[world.batch.id] < 4 * stored


def test_traces_leave_half_of_the_smallest_scratch_server_to_messages():
    assert Settings().trace_bytes_in_flight <= SCRATCH_BYTES[0] // 2


def test_a_batch_that_somebody_else_has_cancelled_is_not_submitted_again():
    world = World()
    world.work(0)
    world.ledger.trace_cancel(world.batch.id)
    world.scratch.bodies.clear()
    with pytest.raises(JobAborted, match="was cancelled: by request"):
        world.batch.wait()
    assert len(world.ledger.chunks) == 1


def test_who_gives_up_a_ledger_that_is_away_leaves_nothing_in_the_scratch_store():
    world = World()
    held = dict(world.scratch.bodies)
    world.ledger.refusals = [DOWN]
    with pytest.raises(LedgerDown):
        world.submit([1, 2, 3])
    assert world.scratch.bodies == held
