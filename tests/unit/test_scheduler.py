"""The scheduler: whatever happens in whatever order, every session ends once, with one root."""

import msgspec
import pytest
from fake_ledger import LIMITS, World, small_farm
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions import job, ref, segment, slot, spec

from farm import events as e
from farm import instructions as do
from farm.errors import (
    BlobMissing,
    CycleLimitReached,
    GuestPanicked,
    HostDied,
    WrongClaim,
)
from farm.job import State
from farm.session import same_limits


@pytest.fixture
def world():
    return small_farm()


def run(world):
    world.compare()
    world.lapse()
    world.settle()


def kinds(world):
    return [sent.message.step for sent in world.sent]


def test_a_session_of_two_segments_ends_in_one_receipt(world):
    name = world.submit(spec(), count=2)
    run(world)
    assert kinds(world) == ["execute", "prove:0-1", "prove:1-2", "join:0-2"]
    assert world.closed[name].receipt == ref("receipt")
    assert world.ended["j1"].state is State.SUCCEEDED
    assert world.ended["j1"].stats["segments"] == 2


def test_a_message_says_what_to_do_with_what(world):
    name = world.submit(spec(), count=2)
    run(world)
    execute, left, _, join = (sent.message for sent in world.sent)
    assert execute.inputs == [ref("program"), ref("input")]
    assert execute.args["po2"] == 16
    assert left.inputs == [segment(0).ref]
    assert left.args["claim"] == segment(0).claim.digest()
    assert join.inputs == [ref(f"{name} prove:{span} 1") for span in ("0-1", "1-2")]
    assert join.args["claim"] == segment(0).claim.join(segment(1).claim).digest()
    assert (join.job, join.kind, join.attempt) == ("j1", "join", 1)


def test_two_jobs_of_one_session_both_get_the_answer(world):
    name = world.submit(spec("j1"))
    second = job(spec("j2"), seq=2)
    world.keep(name, waiters=[*world.sessions[name].waiters, second])
    world.tell(e.JobJoined(name, second))
    run(world)
    assert {id: end.state for id, end in world.ended.items()} == {
        "j1": State.SUCCEEDED,
        "j2": State.SUCCEEDED,
    }


def test_what_leaves_one_of_two_leaves_the_other(world):
    name = world.submit(spec("j1"))
    world.tell(e.JobJoined(name, job(spec("j2"), seq=2)))
    world.keep(name, waiters=[job(spec("j2"), seq=2)])
    world.tell(e.JobLeft(name, "j1"))
    run(world)
    assert list(world.ended) == ["j2"]


def test_a_session_that_nobody_waits_for_is_forgotten(world):
    name = world.submit(spec(), count=3)
    world.done((name, "execute"))
    world.tell(e.JobLeft(name, "j1"))
    assert world.scheduler.courses == {}
    assert len(world.scheduler.floor.free()) == 2


def test_a_deadline_ends_its_job_alone(world):
    name = world.submit(spec("j1"))
    world.tell(e.JobJoined(name, job(spec("j2"), seq=2)))
    world.keep(name, waiters=[job(spec("j1")), job(spec("j2"), 2)])
    world.tell(e.DeadlinePassed(name, "j1"))
    assert world.ended["j1"].state is State.TIMED_OUT
    run(world)
    assert world.ended["j2"].state is State.SUCCEEDED


def test_a_failure_of_the_guest_ends_the_session(world):
    name = world.submit(spec())
    world.fail((name, "execute"), GuestPanicked("out of luck"))
    assert world.closed[name].state is State.FAILED
    assert str(world.ended["j1"].error) == "guest panicked: out of luck"


def test_a_failure_is_not_shared_with_other_limits(world):
    name = world.submit(spec("j1", cycle_limit=10))
    wider = job(spec("j2", cycle_limit=99), seq=2)
    world.tell(e.JobJoined(name, wider))
    world.fail((name, "execute"), CycleLimitReached(10))
    assert list(world.ended) == ["j1"]
    assert world.reattached == do.Reattach(wider, name)
    assert not same_limits(name, wider.identity)


def test_what_may_help_is_tried_again_so_many_times(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    for _ in range(LIMITS.attempts):
        world.fail((name, "prove:0-1"), HostDied("prove", "signal SIGSEGV", "boom"))
    assert world.closed[name].error.code == "HostDied"
    assert [sent.record.tries for sent in world.sent] == [0, 0, 1, 2, 3]


def test_a_wrong_receipt_is_refused_and_the_other_slot_is_asked(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    first = world.out[name, "prove:0-1"].message.slot
    world.done((name, "prove:0-1"))
    world.verify(ok=False, error=WrongClaim("this", "that"))
    assert world.struck.slot == first
    assert world.sessions[name].nodes == {}
    assert world.out[name, "prove:0-1"].message.slot != first
    run(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_steps_of_a_slot_that_is_gone_are_sent_at_once(world):
    name = world.submit(spec(), count=2)
    world.done((name, "execute"))
    lost = world.out[name, "prove:0-1"].message.slot
    world.lease((name, "prove:0-1"))
    world.done((name, "prove:1-2"))
    world.down(lost)
    again = world.out[name, "prove:0-1"]
    assert (again.message.attempt, again.record.tries) == (2, 1)
    assert again.message.slot != lost


def test_a_new_incarnation_has_lost_what_the_old_one_held(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    world.lease((name, "prove:0-1"))
    world.up(slot(0, incarnation="2"))
    assert world.out[name, "prove:0-1"].message.attempt == 2


def test_a_lost_message_is_nobodys_failure(world):
    name = world.submit(spec())
    for attempt in range(1, 9):
        del world.out[name, "execute"]
        world.tell(e.StepLost(name, "execute", attempt, leased=False))
    assert world.out[name, "execute"].record.tries == 0


def test_what_is_not_of_this_attempt_is_ignored(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    key = (name, "prove:0-1")
    assert world.tell(e.StepLost(*key, attempt=7, leased=True)) == []
    old = msgspec.structs.replace(world.out[key].record, state="REPORTED", attempt=0)
    assert world.tell(e.StepReported(*key, old)) == []
    assert world.tell(e.Verified(*key, 1, ref("x"))) == []
    assert world.tell(e.Executed("unknown", 1, None)) == []


def test_an_output_that_is_gone_is_made_again(world):
    name = world.submit(spec(), count=2)
    while (name, "join:0-2") not in world.out:
        world.verify() if world.verifying else world.done(next(iter(world.out)))
    lost = world.sessions[name].nodes["prove:1-2"]
    world.fail((name, "join:0-2"), BlobMissing(lost, "not in the store"))
    assert world.out[name, "prove:1-2"].message.attempt == 2
    run(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_job_that_missed_its_end_gets_it(world):
    end = do.Close("s", "k", State.SUCCEEDED, None, "r", "j")
    world.tell(e.Orphaned(job(spec()), end))
    assert world.ended["j1"].receipt == "r"


def test_executions_wait_while_too_many_bytes_are_unproved():
    world = World(LIMITS._replace(bytes_in_flight=50))
    world.up(slot(0))
    world.up(slot(0, kind="execute"))
    first = world.submit(spec("j1"), count=3)
    world.submit(spec("j2", image_id="aa"), seq=2)
    world.done((first, "execute"))
    assert kinds(world) == ["execute", "prove:0-1", "prove:1-2"]
    world.done((first, "prove:0-1"))
    world.verify()
    assert kinds(world)[3:] == ["prove:2-3"]
    world.done((first, "prove:1-2"))
    world.verify()
    assert "execute" in kinds(world)[4:]


STEP_MOVES = ("done", "part", "otherwise", "mute", "lease", "fail", "lose")
MOVES = (*STEP_MOVES, "verify", "finalize", "refuse", "down", "up", "restart", "compare")


@settings(max_examples=60, deadline=None)
@given(
    data=st.data(),
    counts=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    cores=st.integers(1, 4),
    devices=st.booleans(),
    attempts=st.sampled_from([2, 10_000]),
)
def test_every_order_of_success_failure_and_loss_ends_once(data, counts, cores, devices, attempts):
    world = World(LIMITS._replace(attempts=attempts))
    how = {"cores": [], "lanes": 3} if devices else {}
    all_slots = [slot(n, machine=f"m{n % 2}", **how) for n in range(cores)]
    all_slots += [slot(0, kind="execute", lanes=2)]
    for one in all_slots:
        world.up(one)
    for number, count in enumerate(counts):
        wanted = spec(f"j{number}", image_id=f"{number:02}" * 32, priority=number % 2)
        world.submit(wanted, count, seq=number)
    for _ in range(60):
        move(world, data.draw(st.sampled_from(MOVES)), data, all_slots)
    for one in all_slots:
        if one.name not in world.slots:
            world.up(one)
    run(world)
    assert sorted(world.ended) == [f"j{number}" for number in range(len(counts))]
    ends = {end.state for end in world.ended.values()}
    assert ends <= ({State.SUCCEEDED, State.FAILED} if attempts == 2 else {State.SUCCEEDED})
    assert len(world.scheduler.floor.free()) == cores
    assert len(world.scheduler.proving) == world.scheduler.proving.bytes == 0
    assert len(world.scheduler.executing) == 0


def move(world, what, data, all_slots):
    if what in STEP_MOVES:
        if world.out:
            getattr(world, what)(data.draw(st.sampled_from(sorted(world.out))))
    elif what in ("verify", "refuse"):
        if world.verifying:
            world.verify(ok=what == "verify", error=WrongClaim("this", "that"))
    elif what == "finalize" and world.finalizing:
        world.finalize(data.draw(st.sampled_from([None, HostDied("finalize", "x", "y")])))
    else:
        change_slots(world, what, data, all_slots)


def change_slots(world, what, data, all_slots):
    if what == "down" and len(world.slots) > 1:
        world.down(data.draw(st.sampled_from(sorted(world.slots))))
    elif what == "up":
        one = data.draw(st.sampled_from(all_slots))
        world.up(msgspec.structs.replace(one, incarnation=str(len(world.sent))))
    elif what in ("restart", "compare"):
        getattr(world, what)()
