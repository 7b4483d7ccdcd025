"""Single submits: which share a batch, when it is sent, what comes back whatever happens."""

import pytest
from fake_farm import DOWN
from gathering import LINGER, World, proofs

from farm import follow, gather, trace_plain
from farm.errors import (
    BadTrace,
    Busy,
    FarmError,
    LedgerDown,
)
from farm.job import State


@pytest.fixture
def world():
    return World()


def test_the_first_goes_at_once_and_those_meanwhile_together(world):
    (first,) = world.submit((3,))
    world.turn()
    assert first.state is State.ACCEPTED and len(world.flying()) == 1
    rest = world.submit((4,), (5,))
    world.turn()
    assert [job.state for job in rest] == [State.BUFFERED] * 2
    world.turn(LINGER)
    assert len(world.flying()) == 2
    for batch in world.flying():
        world.work(batch)
    world.turn()
    world.turn()
    assert [job.wait(0) for job in [first, *rest]] == proofs(3, 4, 5)


def test_who_waits_for_nobody_else_is_sent_at_once_again(world):
    (first,) = world.submit((3,))
    world.turn()
    (second,) = world.submit((4,))
    world.work(*world.flying())
    world.turn()  # the first comes back
    assert first.done() and second.state is State.BUFFERED
    world.turn()
    assert second.state is State.ACCEPTED


def test_programs_do_not_share_a_batch(world):
    fib, sha = world.submit((3,)) + world.submit((None, [7]), program="sha256.v0")
    world.turn()
    assert len(world.flying()) == 2
    for batch in world.flying():
        world.work(batch)
    world.turn()
    world.turn()
    assert [fib.wait(0), sha.wait(0)] == [*proofs(3), trace_plain.prove("sha256.v0", 0, [7])]


def test_a_full_lot_does_not_linger(world, monkeypatch):
    monkeypatch.setattr(gather, "ROWS", 4)
    world.submit((3,))
    world.turn()
    jobs = world.submit(*[(n,) for n in range(4, 9)])
    world.turn()
    assert [job.state for job in jobs] == [State.ACCEPTED] * 5
    assert sorted(view.count for view in world.ledger.batches.values()) == [1, 1, 4]


def test_nothing_is_left_behind(world):
    world.submit((3,))
    world.turn()
    world.work(*world.flying())
    world.turn()
    assert world.flying() == [] and world.scratch.bodies == {}


def test_what_is_over_is_forgotten_with_the_next_batch(world):
    world.submit((3,))
    world.turn()
    (first,) = world.flying()
    world.submit((4,))
    world.turn(LINGER)
    world.work(first)
    world.turn()
    assert first in world.flying()
    world.submit((5,))
    world.turn(LINGER)
    assert first not in world.flying() and len(world.flying()) == 2


def test_what_is_no_row_is_refused_at_once(world):
    with pytest.raises(BadTrace, match="no trace program"):
        world.submit((3,), program="fib.v9")
    with pytest.raises(BadTrace, match="whole rounds"):
        world.submit((1.5,))
    assert world.ledger.batches == {}


def test_a_busy_farm_is_asked_again(world):
    world.ledger.refusals = [Busy("what trace batches hold", "9 bytes", 1)]
    (job,) = world.submit((3,))
    world.turn()
    assert job.state is State.BUFFERED and world.scratch.bodies == {}
    world.turn(gather.BUSY_SECONDS / 2)
    assert job.state is State.BUFFERED
    world.turn(gather.BUSY_SECONDS)
    assert job.state is State.ACCEPTED


def test_too_many_that_wait_make_the_client_busy(world, monkeypatch):
    monkeypatch.setattr(gather, "LOTS", 1)
    monkeypatch.setattr(gather, "ROWS", 2)
    world.submit((3,), (4,))
    with pytest.raises(Busy):
        world.submit((5,))
    world.turn()
    world.submit((5,))


def test_a_batch_that_never_fits_fails_its_jobs():
    world = World(held_limit=10)
    (job,) = world.submit((3,))
    world.turn()
    with pytest.raises(FarmError, match="over the limit"):
        job.wait(0)


@pytest.mark.parametrize("mended", [True, False])
def test_a_ledger_that_is_away_is_waited_for_but_not_for_ever(world, monkeypatch, mended):
    monkeypatch.setattr(follow, "AGAIN", 0.0)
    world.submit((3,))
    world.turn()  # it has answered once
    (job,) = world.submit((4,))
    held = dict(world.scratch.bodies)
    world.ledger.refusals = [DOWN] * (1 if mended else 9)
    world.turn(LINGER)
    assert job.state is State.BUFFERED
    if mended:
        world.turn()
        assert job.state is State.ACCEPTED
        return
    monkeypatch.setattr(follow, "PATIENCE", 0.0)
    with pytest.raises(LedgerDown):
        world.turn()
    assert world.scratch.bodies != held
    world.gatherer._fail(DOWN)
    with pytest.raises(LedgerDown):
        job.wait(0)
    assert world.scratch.bodies == held


def test_an_answer_that_got_lost_makes_no_second_batch(world, monkeypatch):
    monkeypatch.setattr(follow, "AGAIN", 0.0)
    world.submit((3,))
    world.turn()
    submit, lost = world.ledger.trace_submit, [DOWN]

    def heard_or_not(id, *rest, **given):
        answer = submit(id, *rest, **given)
        if lost:
            raise lost.pop()
        return answer

    monkeypatch.setattr(world.ledger, "trace_submit", heard_or_not)
    (job,) = world.submit((4,))
    world.turn(LINGER)
    world.turn()
    assert job.state is State.ACCEPTED and len(world.flying()) == 2
