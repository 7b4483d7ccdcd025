"""A set has in it whoever has a receipt that holds, and hurts for nobody else."""

import pytest
from fake_ledger import LIMITS
from fake_sets import SetWorld
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions import hexed, ref, slot, spec
from test_scheduler import MOVES, move

from farm import progress
from farm.errors import BadReceipt, GuestPanicked, JobFailed, StoreFailed, WrongKind
from farm.job import Asked, State
from farm.members import Members
from farm.session import Relied
from farm.set_builder import Member

GIVEN = [ref(f"receipt {number}") for number in range(10)]


@pytest.fixture
def world():
    world = SetWorld()
    for number in range(2):
        world.up(slot(number))
    world.up(slot(0, kind="execute", lanes=2))
    return world


def steps(world):
    return [sent.message.step for sent in world.sent]


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10])
def test_receipts_are_looked_at_united_and_relied_on(world, count):
    name = world.ask(*GIVEN[:count])
    assert len(world.inspecting) == count and not world.out
    world.settle()
    assert world.ended["set"].state is State.SUCCEEDED
    assert world.ended["set"].stats["members"] == ref("roster")
    assert [entry.place for entry in world.sets[name]] == [*range(count)]
    assert sum(step.startswith("union") for step in steps(world)) == count - 1
    assert sum(step.startswith("resolve") for step in steps(world)) == 1


def test_the_guest_reads_what_was_gathered_and_may_rely_on_the_union(world):
    name = world.ask(*GIVEN[:2])
    world.inspect(), world.inspect(), world.gather()
    message = world.out[name, "execute"].message
    assert message.inputs == [ref("program"), ref("stdin")]
    (assumed,) = message.args["assumed"]
    assert assumed["claim"] == world.scheduler.courses[name].unions.top
    assert world.sessions[name].gathered.members == ref("roster")


def test_unions_begin_before_all_members_are_there(world):
    relied = {"j1": Relied(State.RUNNING)}
    name = world.ask(*GIVEN[:2], "j1", relied=relied)
    world.inspect(), world.inspect()
    assert (name, "union:0-2") in world.out and (name, "execute") not in world.out
    entry = progress.entry(world.scheduler.courses[name])
    assert (entry["members"], entry["members_ready"]) == (3, 2)
    assert entry["text"] == "waiting for members"


@pytest.mark.parametrize("error", [BadReceipt("it does not verify"), WrongKind("fake", "succinct")])
def test_who_does_not_hold_is_named_and_left_out(world, error):
    name = world.ask(*GIVEN[:3])
    world.inspect(), world.inspect(error), world.inspect()
    world.settle()
    assert world.ended["set"].state is State.SUCCEEDED
    entries = world.sets[name]
    assert [entry.place for entry in entries] == [0, -1, 1]
    assert str(entries[1].error()) == str(error)


def test_a_job_that_fails_leaves_the_set_without_hurting_it(world):
    first = world.submit(spec("j1"))
    second = world.submit(spec("j2", image_id=hexed("other")), seq=2)
    name = world.ask("j1", "j2", relied={one: Relied(State.RUNNING) for one in ("j1", "j2")})
    world.fail((first, "execute"), GuestPanicked("out of luck"))
    assert "set" not in world.ended
    while second in world.scheduler.courses:
        world.done((second, "execute")) if (second, "execute") in world.out else None
        world.verify() if world.verifying else world.finalize() if world.finalizing else None
        for key in [key for key in world.out if key[0] == second]:
            world.done(key)
    world.settle()
    assert world.ended["set"].state is State.SUCCEEDED
    left_out, member = world.sets[name]
    assert str(left_out.error()) == str(JobFailed("j1", "it is FAILED"))
    assert (member.place, member.digest) == (0, ref("journal").partition("-")[0])
    assert member.journal == ref("journal")


def test_the_same_claim_is_in_the_set_once(world):
    name = world.ask(GIVEN[0], GIVEN[1], GIVEN[0])
    world.settle()
    assert [entry.place for entry in world.sets[name]] == [0, 1, 0]
    assert world.ended["set"].state is State.SUCCEEDED


def test_the_same_receipt_said_to_be_of_another_program_is_left_out():
    members = Members([Asked(GIVEN[0]), Asked(GIVEN[0], hexed("another")), Asked(GIVEN[1])])
    for one in GIVEN[:2]:
        members.judge(one, (Member(hexed("image"), one.partition("-")[0]), ref("journal")))
    assert [entry.place for entry in members.entries] == [0, -1, 1]
    assert members.entries[1].code == "WrongClaim"


def test_without_anybody_there_is_no_set(world):
    world.ask(GIVEN[0], "j9", relied={"j9": Relied(None)})
    world.inspect(BadReceipt("it does not verify"))
    assert world.ended["set"].error.code == "NoMembers"
    assert "it does not verify" in str(world.ended["set"].error)


def test_who_was_refused_by_the_client_is_not_looked_at():
    asked = [Asked(GIVEN[0], code="WrongKind", facts=["trace", "succinct"]), Asked(GIVEN[1])]
    assert [*Members(asked).unseen] == [GIVEN[1]]
    assert str(Members(asked[:1]).none()).endswith("receipt is of kind trace, not succinct")


def test_what_cannot_be_stored_is_tried_again(world):
    name = world.ask(GIVEN[0])
    world.inspect()
    for _ in range(LIMITS.attempts - 1):
        world.gather(StoreFailed("blobs", "disk full"))
    assert world.gathering and not world.ended
    world.gather(StoreFailed("blobs", "disk full"))
    assert world.ended["set"].error.code == "StoreFailed" and name not in world.sessions


def test_a_set_that_is_only_executed_unites_nothing(world):
    name = world.ask(*GIVEN[:3], kind="trace", receipt="trace")
    world.settle()
    assert steps(world) == ["execute"]
    assert world.ended["set"].state is State.SUCCEEDED
    assert len(world.sets[name]) == 3


@settings(max_examples=60, deadline=None)
@given(data=st.data(), count=st.integers(1, 9), segments=st.integers(1, 4))
def test_every_order_of_events_ends_in_one_receipt_of_those_that_hold(data, count, segments):
    world = SetWorld(LIMITS._replace(attempts=10_000))
    slots = [slot(number) for number in range(2)] + [slot(0, kind="execute", lanes=2)]
    for one in slots:
        world.up(one)
    bad = {one: BadReceipt("no") for one in GIVEN[:count] if data.draw(st.booleans())}
    name = world.ask(*GIVEN[:count], count=segments)
    for _ in range(40):
        what = data.draw(st.sampled_from([*MOVES, "inspect", "inspect", "gather"]))
        if what == "inspect":
            inspect(world, bad)
        elif what == "gather":
            world.gather() if world.gathering else None
        else:
            move(world, what, data, slots)
    finish(world, slots, bad)
    if len(bad) == count:
        assert world.ended["set"].error.code == "NoMembers"
        return
    assert world.ended["set"].state is State.SUCCEEDED
    assert [entry.place < 0 for entry in world.sets[name]] == [one in bad for one in GIVEN[:count]]


def finish(world, slots, bad):
    for one in slots:
        if one.name not in world.slots:
            world.up(one)
    while world.inspecting:
        inspect(world, bad)
    world.compare()
    world.lapse()
    world.settle()


def inspect(world, bad):
    if world.inspecting:
        world.inspect(bad.get(world.inspecting[0].ref))
