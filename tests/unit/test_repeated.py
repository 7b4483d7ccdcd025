"""Guests that are executed once more: what came of the first time stands, unless it differs."""

import pytest
from fake_ledger import small_farm
from sessions import segment, spec

from farm import events as e
from farm import instructions as do
from farm.errors import BlobMissing, ExecutionDiffers
from farm.job import State, new_seed


@pytest.fixture
def world():
    return small_farm()


def finish(world):
    world.compare()
    world.lapse()
    world.settle()


def test_an_execution_that_is_repeated_goes_on_from_what_is_proved(world):
    name = world.submit(spec(), count=3)
    world.segment(name, 0)
    world.segment(name, 1)
    world.done((name, "prove:0-1"))
    world.verify()
    world.lose((name, "execute"))
    assert world.out[name, "execute"].message.attempt == 2
    finish(world)
    assert [sent.message.step for sent in world.sent].count("prove:0-1") == 1
    assert world.ended["j1"].state is State.SUCCEEDED


def test_an_execution_that_is_not_as_it_was_starts_from_nothing(world):
    name = world.submit(spec(), count=3)
    world.segment(name, 0)
    world.segment(name, 1)
    world.done((name, "prove:0-1"))
    world.verify()
    world.lose((name, "execute"))
    late = world.out[name, "execute"]
    world.fail((name, "execute"), ExecutionDiffers("segment 0"))
    assert not world.sessions[name].segments and not world.sessions[name].nodes
    assert list(world.out) == [(name, "execute")]
    assert world.tell(e.SegmentFound(name, late.message.attempt, 2, segment(2))) == []
    finish(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_an_execution_that_differs_is_given_up_after_all_that_came_of_it(world):
    name = world.submit(spec())
    world.lease((name, "execute"))
    key, _ = world.out.popitem()
    record = world.change(key, state="FAILED", code="ExecutionDiffers", facts='["segment 0"]')
    told = world.tell(e.StepReported(name, "execute", record))
    kinds = [type(one) for one in told]
    assert kinds.index(do.Discard) < kinds.index(do.GiveUp)


def test_a_segment_that_is_gone_is_executed_again(world):
    name = world.submit(spec(), count=2)
    world.done((name, "execute"))
    world.fail((name, "prove:1-2"), BlobMissing(segment(1).ref, "not in the store"))
    assert world.out[name, "execute"].message.attempt == 2
    assert (name, "prove:1-2") not in world.out
    finish(world)
    assert world.ended["j1"].state is State.SUCCEEDED


def test_every_attempt_has_the_seed_of_its_session(world):
    name = world.submit(spec(seed=new_seed()))
    first = world.out[name, "execute"].message
    world.lose((name, "execute"))
    again = world.out[name, "execute"].message
    assert len(first.args["seed"]) == 64
    assert (again.attempt, again.args["seed"]) == (2, first.args["seed"])
    assert new_seed() != new_seed()
