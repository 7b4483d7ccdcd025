"""A batch of trace proofs: its chunks, the order of its results, what it leaves behind."""

import threading
import time

import msgspec
import pytest
from fake_farm import DOWN, FakeLedger, MemoryBlobs, work_trace

from farm import batch as module
from farm import follow, parcels, trace_plain
from farm.batch import Batch
from farm.columns import Outputs
from farm.errors import BadTrace, BlobMissing, FarmError, JobAborted, VerificationFailed
from farm.job import State
from farm.witness import read_inputs


class World:
    """A batch of ten proofs in chunks of four, and a worker that does what it is told."""

    def __init__(self, rounds=tuple(range(1, 11))):
        self.ledger, self.scratch, self.sent = FakeLedger(), MemoryBlobs(), []
        inputs = read_inputs("fib.v0", list(rounds))
        self.batch = Batch.submit(inputs, self.ledger, self.scratch, self.sent.extend, 60.0)

    def wait_for_sent(self, count):
        """Return the places of the messages sent after the first three, once all are."""
        while len(self.sent) < count:
            time.sleep(0.01)
        return range(3, count)

    def work(self, at, spoil=lambda rows: rows):
        """Do chunk `at` as a worker does."""
        work_trace(self.ledger, self.scratch, self.sent[at], spoil)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(parcels, "ROWS", 4)


def expected(rounds=tuple(range(1, 11))):
    return [trace_plain.prove("fib.v0", n, [0, 1]) for n in rounds]


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


def test_what_the_scratch_store_lost_is_submitted_again():
    world = World()
    results = iter(world.batch.chunks())
    world.work(0)
    assert len(next(results)) == 4
    first = world.batch.id
    world.work(1)
    world.scratch.bodies.clear()
    again = threading.Thread(target=lambda: [world.work(at) for at in world.wait_for_sent(5)])
    again.start()
    assert [len(part) for part in results] == [4, 2]
    again.join()
    assert list(world.batch) == expected()
    assert world.batch.id != first and world.scratch.bodies == {} == world.ledger.batches


def test_what_is_lost_again_and_again_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(module, "LOSSES", 0)
    world = World(rounds=[3])
    world.work(0)
    world.scratch.bodies.clear()
    with pytest.raises(BlobMissing):
        world.batch.wait()


def test_a_scratch_store_that_is_away_for_a_moment_is_waited_for(monkeypatch):
    monkeypatch.setattr(follow, "AGAIN", 0.0)
    world = World()
    results = world.batch.chunks()
    world.work(0)
    next(results)
    world.work(1)
    world.work(2)
    get, away = world.scratch.get, [DOWN, DOWN]

    def get_later(ref):
        if away:
            raise away.pop()
        return get(ref)

    world.scratch.get = get_later
    assert [len(part) for part in results] == [4, 2]


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


def test_an_empty_batch_is_done_at_once():
    world = World(rounds=[])
    assert list(world.batch) == [] and len(world.batch.wait()) == 0
    assert world.sent == [] and world.ledger.batches == {}


def test_a_broker_that_is_away_does_not_lose_an_accepted_batch():
    def away(messages):
        raise DOWN

    ledger = FakeLedger()
    batch = Batch.submit(read_inputs("fib.v0", [1]), ledger, MemoryBlobs(), away, 60.0)
    assert batch.id in ledger.batches
