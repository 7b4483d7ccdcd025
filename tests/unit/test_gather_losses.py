"""Single submits when something goes wrong: changes, data, batches and calls that are lost."""

import msgspec
import pytest
from fake_farm import change
from gathering import LINGER, World, proofs

from farm import gather, parcels, underway
from farm.errors import BadTrace, BlobMissing, Busy, JobAborted, UnknownJob
from farm.job import State


@pytest.fixture
def world():
    return World()


def test_changes_that_were_lost_are_looked_for(world):
    (job,) = world.submit((3,))
    world.turn()
    world.work(*world.flying())
    world.ledger.script.clear()
    world.turn()
    assert not job.done()
    world.turn(underway.LOOK_SECONDS)
    assert job.wait(0) == proofs(3)[0]


@pytest.mark.parametrize("told", [True, False])
def test_a_batch_that_failed_says_why_to_each(world, told):
    jobs = world.submit((3,), (4,))
    world.turn()
    (id,) = world.flying()
    ended = {"state": State.ABORTED, "code": "JobAborted", "facts": [id, "by request"]}
    world.ledger.batches[id] = msgspec.structs.replace(world.ledger.batches[id], **ended)
    if told:
        world.ledger.script.append([change(1, State.ABORTED, batch=id)])
    world.turn(0 if told else underway.LOOK_SECONDS)
    for job in jobs:
        with pytest.raises(JobAborted):
            job.wait(0)
    assert world.scratch.bodies == {}


def test_what_the_scratch_store_lost_is_handed_in_again(world):
    (job,) = world.submit((3,))
    world.turn()
    (first,) = world.flying()
    world.work(first)
    world.scratch.bodies.clear()
    world.turn()
    (again,) = world.flying()
    assert again != first and not job.done()
    world.work(again)
    world.turn()
    assert job.wait(0) == proofs(3)[0]


def test_what_was_lost_while_the_farm_is_busy_is_handed_in_later(world):
    (job,) = world.submit((3,))
    world.turn()
    (first,) = world.flying()
    world.work(first)
    world.scratch.bodies.clear()
    world.ledger.refusals = [Busy("what trace batches hold", "9 bytes", 1)]
    world.turn()
    assert world.flying() == [first] and not job.done()
    world.turn(underway.LOOK_SECONDS)
    (again,) = world.flying()
    world.work(again)
    world.turn()
    assert again != first and job.wait(0) == proofs(3)[0]


def test_inputs_that_were_lost_before_a_worker_read_them_are_handed_in_again(world):
    (job,) = world.submit((3,))
    world.turn()
    (first,) = world.flying()
    ended = {"state": State.FAILED, "code": "BlobMissing", "facts": ["ref", "gone"]}
    world.ledger.batches[first] = msgspec.structs.replace(world.ledger.batches[first], **ended)
    world.ledger.script.append([change(1, State.FAILED, batch=first)])
    world.turn()
    (again,) = world.flying()
    assert again != first and not job.done()
    world.work(again)
    world.turn()
    assert job.wait(0) == proofs(3)[0]


def test_a_change_that_was_never_read_loses_no_result(world, monkeypatch):
    monkeypatch.setattr(parcels, "ROWS", 1)
    world.submit((9,))
    jobs = world.submit((3,), (4,))
    world.turn()
    world.work(*world.flying())
    world.ledger.script[:] = world.ledger.script[-1:]
    world.turn()
    assert [job.wait(0) for job in jobs] == proofs(3, 4)


def test_rows_that_were_refused_do_not_make_the_client_busy(world, monkeypatch):
    monkeypatch.setattr(gather, "LOTS", 3)
    for _ in range(5):
        with pytest.raises(BadTrace):
            world.submit((0, ["x"]), program="sha256.v0")
        world.submit((3,))
        world.turn()
        world.work(*world.flying())
        world.turn()
    assert len(world.gatherer._lots) == 0


def test_a_lot_of_long_witnesses_is_full_early(world, monkeypatch):
    monkeypatch.setattr(gather, "WORDS", 10)
    world.submit(*[(0, range(6))] * 4, program="sha256.v0")
    world.turn()
    assert [len(one) for one in world.gatherer._underway.lots()] == [2, 2]


def test_a_call_that_fails_harms_nobody(world):
    first, second = world.submit((3,), (4,))
    heard = []
    first.when_done(lambda: 1 / 0)
    second.when_done(lambda: heard.append("end"))
    world.turn()
    world.work(*world.flying())
    world.turn()
    assert heard == ["end"]
    assert [first.wait(0), second.wait(0)] == proofs(3, 4)


def test_what_is_lost_again_and_again_ends_with_an_error(world):
    (job,) = world.submit((3,))
    world.turn()
    for _ in range(9):
        if not job.done():
            world.work(*world.flying())
            world.scratch.bodies.clear()
            world.turn()
    with pytest.raises(BlobMissing):
        job.wait(0)


def test_a_batch_the_ledger_does_not_know_fails_alone(world):
    (lost,) = world.submit((3,))
    world.turn()
    (unknown,) = world.flying()
    (kept,) = world.submit((4,))
    world.turn(LINGER)
    world.ledger.trace_forget(unknown)
    world.turn(underway.LOOK_SECONDS)
    with pytest.raises(UnknownJob):
        lost.wait(0)
    world.work(*world.flying())
    world.turn()
    assert kept.wait(0) == proofs(4)[0]
