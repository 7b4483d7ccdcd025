"""Placement: every core works or is lent, and the most urgent step goes first."""

from fake_ledger import World
from sessions import slot, spec

from farm import events as e
from farm.placement import Floor, Seat
from farm.width import one_after_another


def farm_of(cores, executors=1):
    world = World()
    for number in range(cores):
        world.up(slot(number))
    world.up(slot(0, kind="execute", lanes=executors))
    return world


def widths(world):
    return {key[1]: sent.message.width for key, sent in world.out.items()}


def prove_all(world):
    while world.out or world.verifying:
        world.verify() if world.verifying else world.done(next(iter(world.out)))


def submit(world, id, count=1, **given):
    return world.submit(spec(id, image_id=id * 32, **given), count, seq=int(id, 16))


def test_one_ready_step_gets_the_whole_machine():
    world = farm_of(2)
    name = submit(world, "01")
    world.done((name, "execute"))
    assert widths(world) == {"prove:0-1": 2}
    assert world.out[name, "prove:0-1"].message.args["cores"] == [0, 1]
    assert world.out[name, "prove:0-1"].record.lent == "risc0-m-1"


def test_two_equal_segments_run_side_by_side_and_their_join_on_all_cores():
    world = farm_of(2)
    name = submit(world, "01", count=2)
    world.done((name, "execute"))
    assert widths(world) == {"prove:0-1": 1, "prove:1-2": 1}
    world.done((name, "prove:0-1"))
    assert widths(world) == {"prove:1-2": 1}
    world.done((name, "prove:1-2"))
    world.verify()
    world.verify()
    assert widths(world) == {"join:0-2": 2}


def test_a_short_segment_after_a_long_one_does_not_leave_a_core_idle():
    world = farm_of(2)
    name = world.submit(spec(), count=2)
    world.segment(name, 0, po2=16)
    assert widths(world) == {"execute": 1}
    world.segment(name, 1, po2=14)
    assert widths(world) == {"execute": 1, "prove:0-1": 2}
    world.done((name, "execute"))
    world.done((name, "prove:0-1"))
    world.verify()
    assert widths(world) == {"prove:1-2": 2}


def test_a_segment_waits_for_what_its_guest_does_next():
    world = farm_of(4)
    name = submit(world, "01", count=3)
    world.segment(name, 0)
    world.segment(name, 1)
    assert widths(world) == {"execute": 1}
    world.segment(name, 2)
    world.segment(name, 3)
    assert len(world.out) == 5


def test_jobs_that_are_about_to_come_are_left_room():
    world = farm_of(2)
    names = [submit(world, id) for id in ("01", "02", "03", "04")]
    world.done((names[0], "execute"))
    assert widths(world) == {"prove:0-1": 1, "execute": 1}
    world.done((names[1], "execute"))
    assert list(world.out)[1:] == [(names[1], "prove:0-1"), (names[2], "execute")]


def test_a_second_message_is_for_another_full_round():
    world = farm_of(2)
    name = submit(world, "01", count=3)
    world.done((name, "execute"))
    assert len(world.out) == 2
    world = farm_of(2)
    name = submit(world, "01", count=5)
    world.done((name, "execute"))
    assert len(world.out) == 4
    assert sorted(sent.record.ahead for sent in world.out.values()) == [False, False, True, True]
    world.done((name, "prove:0-1"))
    world.verify()
    assert len(world.out) == 3


def test_no_look_ahead_behind_a_step_that_has_cores_on_loan():
    world = farm_of(2)
    name = submit(world, "01")
    world.done((name, "execute"))
    late = submit(world, "02", count=4)
    world.done((late, "execute"))
    assert widths(world) == {"prove:0-1": 2}
    world.done((name, "prove:0-1"))
    world.verify()
    assert set(widths(world).values()) == {1}


def test_joins_go_before_proofs():
    world = farm_of(1)
    names = [submit(world, id, count=2) for id in ("01", "02")]
    world.done((names[0], "execute"))
    world.done((names[0], "prove:0-1"))
    world.verify()
    world.done((names[1], "execute"))
    world.done((names[0], "prove:1-2"))
    world.verify()
    world.done((names[1], "prove:0-1"))
    world.verify()
    assert (names[0], "join:0-2") in world.out


def test_the_oldest_job_goes_first_and_before_it_a_higher_priority():
    world = farm_of(1, executors=3)
    names = [submit(world, id, count=3) for id in ("01", "02")]
    names.append(submit(world, "03", count=3, priority=5))
    for name in reversed(names):
        world.done((name, "execute"))
    prove_all(world)
    last = {sent.message.session: place for place, sent in enumerate(world.sent)}
    assert last[names[2]] < last[names[0]] < last[names[1]]


def test_what_is_lent_comes_back_with_the_step():
    world = farm_of(3)
    name = submit(world, "01")
    world.done((name, "execute"))
    assert widths(world) == {"prove:0-1": 3}
    assert world.scheduler.floor.free() == []
    world.done((name, "prove:0-1"))
    world.verify()
    assert len(world.scheduler.floor.free()) == 3


def test_cores_are_lent_within_a_machine():
    world = World()
    for number in range(2):
        world.up(slot(number, machine="a"))
        world.up(slot(number, machine="b"))
    world.up(slot(0, kind="execute"))
    name = world.submit(spec(), count=1)
    world.done((name, "execute"))
    assert widths(world) == {"prove:0-1": 2}


def test_slots_without_cores_do_not_lend():
    floor = Floor()
    for number in range(2):
        floor.up(slot(number, cores=[]))
    assert [len(share) for share in floor.shares(1)] == [1]


def test_executions_share_the_lanes_of_their_slots():
    world = farm_of(0, executors=2)
    for id in ("01", "02", "03"):
        submit(world, id)
    assert len(world.out) == 2


def test_a_tenth_of_the_lanes_is_for_tenants_that_have_not_had_theirs():
    world = farm_of(0, executors=20)
    for number in range(40):
        submit(world, f"{number:02}", namespace="many")
    assert len(world.out) == 18
    few = [submit(world, f"{number}", namespace="few") for number in (50, 51, 52)]
    assert {(name, "execute") in world.out for name in few[:2]} == {True}
    assert (few[2], "execute") not in world.out
    assert len(world.out) == 20


def test_equal_steps_run_side_by_side_and_unequal_ones_one_by_one():
    floor = Floor()
    for number in range(2):
        floor.up(slot(number))
    shares = floor.shares(2)
    assert not one_after_another([100, 100], shares)
    assert one_after_another([100, 60], shares)
    assert not one_after_another([100], floor.shares(1))


def test_a_slot_that_left_is_not_counted():
    floor = Floor()
    floor.up(slot(0))
    floor.sit(("s", "prove:0-1"), Seat("risc0-m-0"))
    assert floor.gone("risc0-m-0") == [("s", "prove:0-1")]
    assert floor.free() == []


def test_a_slot_that_is_seen_again_gets_nothing_more():
    world = farm_of(1)
    name = submit(world, "01", count=9)
    world.done((name, "execute"))
    assert len(world.out) == 2
    world.tell(e.SlotSeen(slot(0)))
    assert len(world.out) == 2
