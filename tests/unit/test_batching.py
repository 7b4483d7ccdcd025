"""Jobs of a guest that takes a list are one execution, and each gets what is its own."""

import pytest
from fake_batches import BatchWorld, output
from fake_ledger import LIMITS
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions import hexed, ref, slot
from test_scheduler import MOVES, move

from farm import events as e
from farm import progress
from farm.errors import GuestPanicked, StoreFailed
from farm.job import State


def up(world):
    slots = [slot(0), slot(1), slot(0, kind="execute", lanes=2)]
    for one in slots:
        world.up(one)
    return slots


@pytest.fixture
def world():
    world = BatchWorld(LIMITS._replace(batch_size=4))
    up(world)
    return world


def test_jobs_that_come_together_are_executed_once_and_each_gets_its_own(world):
    names = [world.ask(number) for number in range(3)]
    assert not world.carrying and not world.out
    world.wait()
    carrier = world.carry()
    world.settle()
    assert {key[0] for key in [(one.message.session, one) for one in world.sent]} == {carrier}
    for number, name in enumerate(names):
        end = world.ended[f"j{number}"]
        assert (end.state, end.receipt) == (State.SUCCEEDED, ref("receipt"))
        assert end.journal == output(number)
        assert end.stats["batch"] == {"of": "c0", "index": number, "journal": ref("journal")}
        assert name not in world.sessions
    assert world.ended["c0"].journal == ref("journal")


def test_a_list_that_is_full_waits_for_nobody(world):
    for number in range(5):
        world.ask(number)
    (asked,) = world.carrying
    assert len(asked.sessions) == 4


def test_others_of_another_program_or_tenant_are_other_lists(world):
    world.ask(0)
    world.ask(1, image_id=hexed("other"))
    world.ask(2, namespace="theirs")
    world.wait()
    assert [len(one.sessions) for one in world.carrying] == [1, 1, 1]


def test_an_urgent_one_takes_the_others_along(world):
    world.ask(0)
    world.ask(1, priority=1)
    (asked,) = world.carrying
    assert len(asked.sessions) == 2


def test_who_leaves_before_is_not_carried(world):
    names = [world.ask(number) for number in range(2)]
    world.tell(e.JobLeft(names[0], "j0"))
    del world.sessions[names[0]]
    world.wait()
    assert world.carrying[0].sessions == (names[1],)


def test_who_leaves_while_carried_gets_nothing_and_hurts_nobody(world):
    names = [world.ask(number) for number in range(2)]
    world.wait()
    world.carry()
    world.tell(e.JobLeft(names[0], "j0"))
    del world.sessions[names[0]]
    world.settle()
    assert set(world.ended) == {"j1", "c0"}
    assert world.ended["j1"].journal == output(1)


def test_one_bad_input_fails_alone(world):
    names = [world.ask(number) for number in range(3)]
    world.wait()
    world.fail((world.carry(), "execute"), GuestPanicked("a bad input"))
    world.wait()
    assert sorted(one.sessions for one in world.carrying) == sorted((name,) for name in names)
    for asked in [*world.carrying]:
        carrier = world.carry()
        if asked.sessions == (names[1],):
            world.fail((carrier, "execute"), GuestPanicked("a bad input"))
    world.settle()
    assert world.ended["j1"].error.code == "GuestPanicked"
    assert {world.ended[id].state for id in ("j0", "j2")} == {State.SUCCEEDED}
    assert world.ended["j2"].journal == output(2)


def test_outputs_of_other_inputs_are_nobodys(world):
    world.ask(0)
    world.wait()
    world.carry()
    while not world.dividing:
        world.done(next(iter(world.out)))
    world.divide(((hexed("another input"), ref("output")),))
    assert world.ended["j0"].error.code == "WrongClaim"


def test_what_cannot_be_handed_in_is_tried_again(world):
    world.ask(0)
    world.wait()
    for _ in range(LIMITS.attempts):
        assert not world.ended
        world.carry(StoreFailed("blobs", "disk full"))
        world.wait()
    assert world.ended["j0"].error.code == "StoreFailed"


def test_a_carrier_that_is_cancelled_is_followed_by_another(world):
    world.ask(0)
    world.wait()
    carrier = world.carry()
    world.tell(e.JobLeft(carrier, "c0"))
    del world.sessions[carrier]
    world.out.clear()
    world.wait()
    world.settle()
    assert world.ended["j0"].state is State.SUCCEEDED


def test_who_is_carried_hears_how_far_it_is(world):
    name = world.ask(0)
    assert progress.doing(world.scheduler.courses[name]) == "waiting for others to share a proof"
    world.wait()
    carrier = world.carry()
    assert world.scheduler.listeners(world.scheduler.courses[carrier]) == ["c0", "j0"]


@settings(max_examples=80, deadline=None)
@given(data=st.data(), count=st.integers(1, 9))
def test_every_order_of_events_ends_with_each_output_at_its_job(data, count):
    world = BatchWorld(LIMITS._replace(attempts=10_000, batch_size=4))
    slots = up(world)
    asked = 0
    for _ in range(50):
        what = data.draw(st.sampled_from([*MOVES, "ask", "wait", "carry", "divide"]))
        if what == "ask":
            asked < count and world.ask(asked)
            asked = min(count, asked + 1)
        elif what in ("wait", "carry", "divide"):
            pending = {"wait": True, "carry": world.carrying, "divide": world.dividing}[what]
            pending and getattr(world, what)()
        else:
            move(world, what, data, slots)
    for one in slots:
        one.name in world.slots or world.up(one)
    world.compare()
    world.lapse()
    for _ in range(3):
        world.settle()
        world.wait(100)
    world.settle()
    for number in range(asked):
        end = world.ended[f"j{number}"]
        assert (end.state, end.journal) == (State.SUCCEEDED, output(number))
    assert not world.scheduler.courses
