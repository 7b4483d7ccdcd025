"""Jobs that rely on jobs: executed once these have succeeded, failed as soon as one has not."""

import pytest
from fake_ledger import small_farm
from sessions import hexed, ref, spec

from farm import events as e
from farm.errors import GuestPanicked
from farm.job import State
from farm.relied import Given, relied
from farm.session import Relied

GIVEN = ref("a receipt")


@pytest.fixture
def world():
    return small_farm()


def submit(world, wanted, receipts=(), seq=1):
    name = world.submit(wanted, seq=seq)
    world.receipts[name] = receipts
    return name


def steps(world):
    return [sent.message.step for sent in world.sent]


def relying(world, seq=2, **given):
    """Submit a job that relies on j1, which the scheduler of the ledger knows."""
    wanted = spec("j2", image_id=hexed("another"), assumptions=["j1"], **given)
    return submit(world, wanted, receipts=(ref("receipt"),), seq=seq)


def test_a_job_waits_for_the_one_it_relies_on(world):
    first = submit(world, spec("j1"))
    second = relying(world)
    assert [key for key in world.out if key[0] == second] == []
    world.settle()
    assert steps(world) == ["execute", "prove:0-1", "execute", "prove:0-1", "resolve:0-1"]
    assert world.sent[2].message.inputs[2:] == [ref("receipt")]
    assert {end.state for end in world.ended.values()} == {State.SUCCEEDED}
    assert {first, second} == set(world.closed)


@pytest.mark.parametrize("how", ["fails", "is cancelled", "runs out of time"])
def test_a_job_ends_with_the_one_it_relies_on(world, how):
    first = submit(world, spec("j1"))
    relying(world)
    if how == "fails":
        world.fail((first, "execute"), GuestPanicked("out of luck"))
    elif how == "is cancelled":
        world.tell(e.JobLeft(first, "j1"))
    else:
        world.tell(e.DeadlinePassed(first, "j1"))
    assert world.ended["j2"].state is State.FAILED
    assert world.ended["j2"].error.code == "AssumptionMissing"
    assert "job j1" in str(world.ended["j2"].error)


def test_a_long_row_of_jobs_falls_at_once(world):
    first = submit(world, spec("j0"))
    for number in range(1, 400):
        wanted = spec(f"j{number}", image_id=hexed(f"{number}"), assumptions=[f"j{number - 1}"])
        submit(world, wanted, seq=number)
    world.fail((first, "execute"), GuestPanicked("out of luck"))
    assert len(world.ended) == 400 and not world.scheduler.courses


@pytest.mark.parametrize("found", [Relied(None), Relied(State.FAILED), Relied(State.ABORTED)])
def test_what_the_ledger_says_of_the_other_job_counts_too(world, found):
    name = relying(world)
    assert not world.ended
    world.keep(name, relied={"j1": found})
    world.compare()
    assert world.ended["j2"].error.code == "AssumptionMissing"


def test_a_receipt_that_is_there_already_is_not_waited_for(world):
    name = relying(world)
    world.keep(name, relied={"j1": Relied(State.SUCCEEDED, GIVEN)})
    world.receipts[name] = (GIVEN,)
    world.compare()
    assert world.out[name, "execute"].message.inputs[2:] == [GIVEN]
    world.settle()
    assert world.ended["j2"].state is State.SUCCEEDED


def test_a_job_of_another_tenant_is_not_there():
    class View:
        spec, state, receipt = spec("j1", namespace="theirs"), State.SUCCEEDED, GIVEN
        journal, stats = ref("journal"), {}

    assert relied(View, "ours") == Relied(None)
    assert relied(View, "theirs") == Relied(State.SUCCEEDED, GIVEN, ref("journal"))
    assert relied(None, "ours") == Relied(None)


def test_what_is_given_comes_in_the_order_of_the_request():
    given = Given(["j1", GIVEN, "j2"])
    assert (given.awaited, given.lost()) == (["j1", "j2"], "")
    given.note({"j2": Relied(State.SUCCEEDED, ref("two")), "j3": Relied(None)})
    given.note({"j1": Relied(State.SUCCEEDED, ref("one"))})
    assert (given.awaited, given.receipts) == ([], [ref("one"), GIVEN, ref("two")])
    given.note({"j1": Relied(None), "j2": Relied(State.SUCCEEDED, "")})
    assert given.lost() == "", "what was given is there"


def test_a_job_that_failed_is_lost():
    given = Given(["j1", "j2"])
    given.note({"j1": Relied(State.RUNNING), "j2": Relied(State.FAILED)})
    assert "job j2" in given.lost()


def test_a_job_whose_receipt_is_gone_gives_nothing():
    given = Given(["j1"])
    given.note({"j1": Relied(State.SUCCEEDED, "")})
    assert "has its receipt no more" in given.lost()
