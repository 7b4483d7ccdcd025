"""Jobs that are only executed, seen by the scheduler: no proof is planned, nothing is mixed up."""

import pytest
from fake_ledger import World, small_farm
from sessions import executed, ref, slot, spec

from farm import instructions as do
from farm.assign import PATIENCE
from farm.errors import BlobMissing, GuestPanicked, HostLacks, StoreFailed
from farm.execution import Execution, of_stats, stats, written
from farm.job import State

BARE = "0.1.0 real cpu"


@pytest.fixture
def world():
    return small_farm()


def steps(world):
    return [sent.message.step for sent in world.sent]


def unproved(kind, **given):
    return spec(kind=kind, receipt=kind, **given)


def test_an_execution_ends_with_what_the_guest_put_out(world):
    world.submit(unproved("execute"), count=3)
    world.settle()
    assert steps(world) == ["execute"]
    end = world.ended["j1"]
    assert (end.state, end.journal, end.receipt) == (State.SUCCEEDED, *[ref("journal")] * 2)
    assert end.stats["segments"] == 3
    assert not world.finalizing and not world.verifying


def test_its_host_is_told_that_nothing_is_proved(world):
    world.submit(unproved("trace"))
    world.submit(spec("j2"), seq=2)
    world.settle()
    told = {sent.message.job: sent.message.args.get("proved", True) for sent in world.sent}
    assert told == {"j1": False, "j2": True}


def test_a_trace_ends_with_a_commitment(world):
    name = world.submit(unproved("trace"), count=2)
    world.done((name, "execute"))
    (asked,) = world.finalizing
    assert isinstance(asked, do.Commit)
    assert (asked.image_id, asked.journal) == (spec().image_id, ref("journal"))
    assert asked.input == spec().input.partition("-")[0]
    world.settle()
    assert steps(world) == ["execute"]
    assert world.ended["j1"].receipt == ref("receipt")


def test_a_commitment_that_cannot_be_kept_is_tried_again_and_a_lost_journal_made_again(world):
    name = world.submit(unproved("trace"))
    world.done((name, "execute"))
    world.finalize(StoreFailed("store", "full"))
    assert len(world.finalizing) == 1
    world.finalize(BlobMissing(ref("journal"), "gone"))
    assert not world.finalizing
    world.settle()
    assert steps(world) == ["execute", "execute"]
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_scheduler_that_begins_after_the_guest_has_ended_finishes_it(world):
    name = world.submit(unproved("trace"))
    world.done((name, "execute"))
    world.restart()
    assert [type(asked) for asked in world.finalizing] == [do.Commit]
    world.settle()
    assert world.ended["j1"].state is State.SUCCEEDED


def test_where_a_guest_wrote_goes_with_its_failure(world):
    name = world.submit(unproved("execute"))
    error = GuestPanicked("why").keeping(["out", "err"])
    world.fail((name, "execute"), error)
    assert world.ended["j1"].error.written == ("out", "err")
    assert str(world.ended["j1"].error) == "guest panicked: why"


def test_what_is_kept_of_an_execution_tells_all_of_it():
    kept = stats(executed(3)) | {"repeated": 0}
    assert of_stats("11", b"j", kept) == Execution("11", b"j", 3, {"total": 3}, 0, 0)
    assert of_stats("11", b"j", {}) == Execution("11", b"j", 0, {}, 0, 0)
    assert written(kept) == ("", "") and written({}) is None
    assert GuestPanicked("why").written is None


def bare_farm():
    """Return a world whose hosts make no groth16 receipts."""
    world = World()
    for one in (slot(0, host=BARE), slot(1, host=BARE), slot(0, kind="execute")):
        world.up(one)
    return world


def test_a_groth16_receipt_is_wrapped_where_a_host_has_its_prover():
    world = bare_farm()
    world.up(slot(0, machine="n", host=f"{BARE} groth16"))
    name = world.submit(spec(receipt="groth16"), count=2)
    world.settle()
    assert steps(world)[-2:] == ["join:0-2", "wrap:0-1"]
    assert world.sent[-1].message.slot == "risc0-n-0"
    assert world.closed[name].state is State.SUCCEEDED


def test_a_wrap_that_came_to_nothing_goes_back_to_the_only_host_that_has_its_prover():
    world = bare_farm()
    world.up(slot(0, machine="n", host=f"{BARE} groth16"))
    name = world.submit(spec(receipt="groth16"))
    wrap = (name, "wrap:0-1")
    world.done((name, "execute"))
    world.done((name, "prove:0-1"))
    world.verify()
    world.fail(wrap)
    assert world.out[wrap].message.slot == "risc0-n-0"


def later(world, seconds):
    """Let the scheduler look again after so many seconds."""
    world.scheduler.floor.now += seconds
    world.compare()


def test_without_one_the_job_fails_once_its_guest_has_ended_and_none_has_come():
    world = bare_farm()
    name = world.submit(spec(receipt="groth16"), count=2)
    later(world, 2 * PATIENCE)
    world.done((name, "execute"))
    later(world, PATIENCE - 1)
    assert not world.ended
    later(world, 1)
    assert isinstance(world.ended["j1"].error, HostLacks)
    assert not world.out


def test_a_farm_whose_only_host_with_the_prover_starts_again_loses_no_job():
    world = bare_farm()
    prover = slot(0, machine="n", host=f"{BARE} groth16")
    world.up(prover)
    name = world.submit(spec(receipt="groth16"), count=2)
    world.done((name, "execute"))
    for _ in range(3):
        world.down(prover.name)
        later(world, PATIENCE - 1)
        world.up(prover)
        later(world, PATIENCE)
    world.settle()
    assert world.closed[name].state is State.SUCCEEDED


def test_while_no_slot_is_up_a_groth16_receipt_may_still_be_made():
    world = bare_farm()
    name = world.submit(spec(receipt="groth16"))
    for number in range(2):
        world.down(f"risc0-m-{number}")
    world.done((name, "execute"))
    assert not world.ended
    world.up(slot(0, host=f"{BARE} groth16"))
    world.settle()
    assert world.ended["j1"].state is State.SUCCEEDED
