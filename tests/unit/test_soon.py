"""Folds on devices: each goes where it begins soonest, and not behind what waits there."""

import pytest
from fake_ledger import World
from sessions import slot, spec

from farm.placement import Floor, Seat


def device(number, lanes=3):
    return slot(number, cores=[], lanes=lanes)


def floor_of(*slots, seconds=1.0):
    """Return a floor whose slots have begun a step each, 0.3 s after one another."""
    floor = Floor()
    for one in slots:
        floor.up(one)
        floor.sit(("s", f"prove of {one.name}"), Seat(one.name), seconds)
        floor.now += 0.3
    return floor


def names(seats):
    return [seat.slot for seat in seats]


def test_the_step_at_work_ends_soonest_but_not_before_the_message_is_there():
    floor = floor_of(*map(device, range(3)))
    first, second, third = floor.slots
    assert names(floor.soon(2)) == [second, third]
    assert names(floor.soon(9)) == [second, third, first]
    assert floor.soon(0) == []
    floor.leave(("s", f"prove of {second}"))
    assert floor.soon(9) == []


def test_a_look_ahead_begins_when_the_step_before_it_has_ended():
    floor = floor_of(device(0), device(1))
    first, second = floor.slots
    floor.sit(("s", "prove next"), Seat(first, ahead=True), 1.0)
    floor.leave(("s", f"prove of {first}"))
    assert names(floor.soon(2)) == [second, first]


@pytest.mark.parametrize(("lanes", "seconds"), [(1, 1.0), (3, None)])
def test_no_fold_where_no_child_is_left_or_no_end_is_known(lanes, seconds):
    assert floor_of(device(0, lanes), seconds=seconds).soon(1) == []


def test_one_child_too_few_is_not_asked_for():
    floor = floor_of(device(0))
    for number in range(2):
        assert names(floor.soon(1)) == ["risc0-m-0"]
        floor.sit(("s", f"prove {number}"), Seat("risc0-m-0", ahead=True), 1.0)
    assert floor.soon(1) == []


def test_no_fold_behind_a_fold_for_then_the_turn_is_anybodys():
    floor = floor_of(device(0))
    floor.sit(("s", "join:0-2"), Seat("risc0-m-0", ahead=True), 1.0)
    assert floor.soon(1) == []


@pytest.fixture
def busy():
    """A world of two devices, and a session of which segments 0 to 3 are proved."""
    world = World()
    for number in range(2):
        world.up(device(number))
    world.up(slot(0, kind="execute"))
    name = world.submit(spec(), count=12)
    world.done((name, "execute"))
    for index in range(4):
        world.scheduler.floor.now += 1
        world.done((name, f"prove:{index}-{index + 1}"))
        world.verify()
    return world, name


def test_a_fold_does_not_wait_for_a_slot_that_wants_more(busy):
    world, name = busy
    sent = world.out[name, "join:2-4"]
    assert sent.record.ahead
    assert len(world.scheduler.floor.work(sent.message.slot)) == 3


def test_a_join_out_of_the_tree_waits_until_a_slot_would_idle(busy):
    world, name = busy
    for step in ("prove:5-6", "join:0-2", "prove:6-7"):
        world.done((name, step))
        world.verify()
    scheduler = world.scheduler
    assert (name, "join:5-7") in scheduler.proving
    assert len(scheduler.floor.soon(1)) == 1
