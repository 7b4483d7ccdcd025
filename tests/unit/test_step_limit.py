"""How long a step may go on: by its slot's own pace, and never so that a job is lost by it."""

import pytest
from fake_ledger import LIMITS, World
from sessions import slot, spec

from farm.errors import StepTooLong
from farm.step_limit import ENOUGH, FLOOR, TIMES, StepLimits

MOST = 7200.0
LIFT = 1 << 17


def slow(**given):
    return slot(0, **given)


def learned(*seconds, at=None):
    limits = StepLimits(MOST)
    for one in seconds:
        limits.learn(at or slow(), "join", LIFT, one)
    return limits


def test_until_a_slot_has_done_enough_it_has_all_the_time():
    few = learned(*[10.0] * (ENOUGH - 1))
    assert few.limit(slow(), "join", LIFT, 0) == MOST
    few.learn(slow(), "join", LIFT, 10.0)
    assert few.limit(slow(), "join", LIFT, 0) == TIMES * 10


def test_a_pace_is_of_one_slot_one_kind_and_one_size():
    limits = learned(*[10.0] * ENOUGH)
    assert limits.limit(slot(1), "join", LIFT, 0) == MOST
    assert limits.limit(slow(), "prove", LIFT, 0) == MOST
    assert limits.limit(slow(), "join", 2 * LIFT, 0) == MOST


def test_another_process_in_the_slot_has_its_own_pace():
    limits, fresh = learned(*[10.0] * ENOUGH), slow(incarnation="2")
    assert limits.limit(fresh, "join", LIFT, 0) == MOST
    limits.learn(fresh, "join", LIFT, 300.0)
    assert limits.limit(slow(), "join", LIFT, 0) == MOST, "the old process is gone"


def test_what_came_to_nothing_once_has_all_the_time():
    assert learned(*[10.0] * ENOUGH).limit(slow(), "join", LIFT, 1) == MOST


@pytest.mark.parametrize(("seconds", "limit"), [(0.01, FLOOR), (1.0, FLOOR), (5000.0, MOST)])
def test_it_is_never_short_and_never_over_what_the_operator_allows(seconds, limit):
    assert learned(*[seconds] * ENOUGH).limit(slow(), "join", LIFT, 0) == limit


def test_the_slowest_of_the_latest_counts():
    limits = learned(*[10.0] * ENOUGH, 100.0)
    assert limits.limit(slow(), "join", LIFT, 0) == TIMES * 100
    for _ in range(ENOUGH):
        limits.learn(slow(), "join", LIFT, 10.0)
    assert limits.limit(slow(), "join", LIFT, 0) == TIMES * 10


def proved(world, id, count):
    """Have a job of so many segments proved, every step of it in 10 s; return its messages."""
    sent = len(world.sent)
    world.submit(spec(id), count=count)
    while world.out or world.verifying or world.finalizing:
        if world.out:
            world.scheduler.floor.now += 10.0
            world.done(next(iter(world.out)))
        elif world.verifying:
            world.verify()
        else:
            world.finalize()
    return [one.message for one in world.sent[sent:]]


def test_the_scheduler_sends_them_along():
    world = World(LIMITS._replace(step_seconds=MOST))
    world.tick = 0
    world.up(slot(0))
    world.up(slot(0, kind="execute"))
    first = proved(world, "j1", 2 * ENOUGH)
    assert {one.limit_s for one in first if one.kind == "prove"} == {MOST, TIMES * 10}
    then = proved(world, "j2", 4)
    assert {one.limit_s for one in then if one.kind == "execute"} == {MOST}
    assert {one.limit_s for one in then if one.kind == "join"} == {TIMES * 10}


def test_a_step_that_a_limit_has_ended_is_tried_again_without_one():
    world = World(LIMITS._replace(step_seconds=MOST))
    world.tick = 0
    world.up(slot(0))
    world.up(slot(0, kind="execute"))
    proved(world, "j1", 2 * ENOUGH)
    name = world.submit(spec("j2", input="other"), count=2)
    world.done((name, "execute"))
    key = (name, "prove:0-1")
    assert world.out[key].message.limit_s == TIMES * 10
    world.fail(key, StepTooLong("prove", TIMES * 10))
    while key not in world.out:
        world.done(next(iter(world.out)))
        world.verify()
    assert world.out[key].message.limit_s == MOST
