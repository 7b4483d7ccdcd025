"""Placement among slots that differ, and among tenants: who fits, who failed, who has used less."""

from fake_ledger import LIMITS, World
from sessions import slot
from test_placement import farm_of, submit

from farm.assign import PATIENCE
from farm.lengths import DEEPEST, LONG, TURN


def apart(*machines, **given):
    """Return a farm whose slots have nothing to lend each other."""
    world = World()
    for number, machine in enumerate(machines):
        world.up(slot(number, machine=machine, **given))
    world.up(slot(0, kind="execute"))
    return world


def slot_of(world, key):
    return world.out[key].message.slot


def test_a_step_that_came_to_nothing_waits_for_another_slot():
    world = apart("a", "b")
    name = submit(world, "01", count=2)
    world.done((name, "execute"))
    key, other = (name, "prove:0-1"), (name, "prove:1-2")
    first, second = slot_of(world, key), slot_of(world, other)
    world.fail(key)
    assert key not in world.out, "its own slot is free, and the other one busy"
    world.done(other)
    world.verify()
    assert slot_of(world, key) == second
    world.fail(key)
    assert slot_of(world, key) == first, "all have been tried"


def test_a_step_whose_slot_is_the_only_one_left_goes_back_to_it():
    world = apart("a", "b")
    name = submit(world, "01", count=2)
    world.done((name, "execute"))
    key, other = (name, "prove:0-1"), (name, "prove:1-2")
    first = slot_of(world, key)
    world.fail(key)
    world.down(slot_of(world, other))
    assert {sent.message.slot for sent in world.out.values()} == {first}


def test_a_large_segment_goes_where_it_fits():
    world = World()
    for number, po2 in enumerate((18, 0, 18)):
        world.up(slot(number, machine=f"{number}", po2=po2))
    world.up(slot(0, kind="execute"))
    name = submit(world, "01")
    for index in range(5):
        world.segment(name, index, po2=20 if index < 2 else 18)
    large, smaller = (name, "prove:0-1"), (name, "prove:2-3")
    assert slot_of(world, large) == "risc0-1-1"
    assert slot_of(world, smaller) != "risc0-1-1"
    assert (name, "prove:1-2") not in world.out
    world.done(large)
    world.verify()
    assert slot_of(world, (name, "prove:1-2")) == "risc0-1-1"


def test_a_segment_that_fits_nowhere_fails_once_that_is_for_sure():
    world = apart("a", po2=18)
    name = submit(world, "01")
    world.segment(name, 0, po2=20)
    world.scheduler.floor.now = PATIENCE - 1
    world.compare()
    assert not world.closed
    world.scheduler.floor.now = PATIENCE + 1
    world.compare()
    assert world.closed[name].error.code == "SegmentTooLarge"
    assert "2^18" in str(world.ended["01"].error)


def test_a_segment_that_a_slot_can_hold_again_goes_there():
    world = apart("a", po2=18)
    name = submit(world, "01")
    world.segment(name, 0, po2=20)
    world.segment(name, 1, po2=20)
    world.scheduler.floor.now = PATIENCE - 1
    world.up(slot(1, machine="b", po2=20))
    world.scheduler.floor.now = PATIENCE + 1
    world.compare()
    assert slot_of(world, (name, "prove:0-1")) == "risc0-b-1"


def test_a_large_slot_that_is_away_may_come_back():
    world = apart("a", po2=18)
    world.up(slot(1, machine="b", po2=20))
    name = submit(world, "01")
    world.segment(name, 0, po2=20)
    world.segment(name, 1, po2=20)
    world.down("risc0-b-1")
    world.scheduler.floor.now = 9 * PATIENCE
    world.compare()
    assert not world.closed
    world.up(slot(1, machine="b", po2=20, incarnation="2"))
    assert slot_of(world, (name, "prove:0-1")) == "risc0-b-1"


def behind(world, seconds):
    """Return how many steps wait behind another when each takes so long."""
    name = submit(world, "01", count=60)
    world.done((name, "execute"))
    for _ in range(20):
        world.scheduler.floor.now += seconds
        world.done(next(iter(world.out)))
        world.verify()
    return len(world.out) - 1


def test_look_aheads_last_for_the_time_between_two_messages():
    assert behind(farm_of(1), TURN) == 1
    assert behind(farm_of(1), TURN / 2) == 2
    assert behind(farm_of(1), TURN / 50) == DEEPEST
    assert behind(farm_of(1), 2 * LONG * TURN) == 0


def test_tenants_share_the_slots_and_a_late_one_catches_up():
    world = farm_of(4)
    names = {}
    for id, namespace in (("01", "a"), ("02", "b")):
        names[namespace] = submit(world, id, count=40, namespace=namespace)
        world.done((names[namespace], "execute"))
        for _ in range(20):
            world.scheduler.floor.now += 1.0
            world.done(next(iter(world.out)))
            world.verify()
    running = [key[0] for key in world.out]
    assert abs(running.count(names["a"]) - running.count(names["b"])) <= 1


def test_a_tenant_whose_segments_fill_the_farm_does_not_keep_others_from_executing():
    world = World(LIMITS._replace(bytes_in_flight=1000))
    for number in range(2):
        world.up(slot(number))
    world.up(slot(0, kind="execute"))
    huge = submit(world, "01", count=30, namespace="a")
    world.done((huge, "execute"))
    again = submit(world, "02", namespace="a")
    other = submit(world, "03", namespace="b")
    assert (again, "execute") not in world.out
    assert (other, "execute") in world.out
