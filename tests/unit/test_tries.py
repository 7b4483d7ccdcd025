"""What counts as a try, and where the next one goes."""

import pytest
from fake_ledger import LIMITS, World, small_farm
from sessions import slot, spec

from farm import events as e
from farm.errors import HostMissing, StepHung
from farm.job import State


@pytest.fixture
def world():
    return small_farm()


def run(world):
    world.compare()
    world.settle()


def steps(world):
    return [sent.message.step for sent in world.sent]


def test_a_slot_that_restarts_before_it_leases_has_tried_nothing(world):
    name = world.submit(spec())
    for number in range(LIMITS.attempts + 1):
        world.up(slot(0, kind="execute", incarnation=f"again {number}"))
    assert world.out[name, "execute"].record.tries == 0
    for number in range(LIMITS.attempts):
        world.lease((name, "execute"))
        world.up(slot(0, kind="execute", incarnation=f"leased {number}"))
    assert world.closed[name].error.code == "WorkerLost"


def test_what_waited_behind_another_step_has_not_been_tried():
    world = World()
    for kind in ("risc0", "execute"):
        world.up(slot(0, kind=kind))
    name = world.submit(spec(), count=3)
    world.done((name, "execute"))
    for key in list(world.out):
        world.lease(key)
    world.up(slot(0, incarnation="2"))
    again = {sent.message.step: sent.record for sent in world.sent if sent.message.attempt == 2}
    assert {step: record.tries for step, record in again.items()} == {
        "prove:0-1": 1,
        "prove:1-2": 0,
    }


def test_what_was_reported_is_not_lost_with_its_slot(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    taken = world.out[name, "prove:0-1"].message.slot
    world.mute((name, "prove:0-1"))
    world.down(taken)
    assert steps(world) == ["execute", "prove:0-1"]
    run(world)
    assert world.ended["j1"].stats["repeated"] == 0
    assert steps(world) == ["execute", "prove:0-1"]


def seat(world, key):
    return world.out[key].message.slot


def test_a_slot_where_work_comes_to_nothing_is_asked_last(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    key, slots = (name, "prove:0-1"), []
    for come_to_nothing in (world.fail, world.lose, world.fail):
        slots.append(seat(world, key))
        come_to_nothing(key)
    assert slots == ["risc0-m-0", "risc0-m-1", "risc0-m-0"]
    assert seat(world, key) == "risc0-m-1"
    run(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_slot_whose_message_nobody_takes_is_asked_last(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    key = (name, "prove:0-1")
    assert seat(world, key) == "risc0-m-0"
    del world.out[key]
    world.tell(e.StepLost(*key, 1, leased=False))
    assert (seat(world, key), world.out[key].record.tries) == ("risc0-m-1", 0)


def test_what_a_slot_does_well_is_held_against_its_strikes(world):
    name = world.submit(spec())
    world.fail((name, "execute"), StepHung("execute", 9))
    strikes = world.scheduler.floor.strikes
    assert strikes["execute-m-0"] == 1
    strikes["risc0-m-0"] = strikes["risc0-m-1"] = 5
    world.done((name, "execute"))
    run(world)
    assert strikes["execute-m-0"] == 0
    assert sorted(strikes.values()) == [0, 2, 5]


def test_a_slot_without_a_host_is_not_the_jobs_failure(world):
    name = world.submit(spec())
    world.done((name, "execute"))
    key = (name, "prove:0-1")
    world.fail(key, HostMissing("/nowhere"))
    assert (seat(world, key), world.out[key].record.tries) == ("risc0-m-1", 1)
    run(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_executions_go_where_they_came_to_something(world):
    world.up(slot(1, kind="execute"))
    name = world.submit(spec())
    first = seat(world, (name, "execute"))
    world.fail((name, "execute"))
    assert seat(world, (name, "execute")) != first


def test_a_join_given_up_takes_nothing_from_the_one_sent_instead(world):
    world.up(slot(2))
    name = world.submit(spec(), count=4)
    world.done((name, "execute"))
    for index in (1, 2, 3):
        world.done((name, f"prove:{index}-{index + 1}"))
        world.verify()
    world.fail((name, "join:1-3"))
    assert steps(world)[-1] == "join:2-4"
    world.restart()
    assert steps(world).count("join:2-4") == 1
    assert sorted(world.out) == [(name, "join:2-4"), (name, "prove:0-1")]
