"""A batch that got lost: it is handed in again, patiently, but never once it is cancelled."""

import threading

import pytest
from batches import World, expected
from fake_farm import DOWN

from farm import entry as module
from farm import follow, parcels
from farm.errors import BlobMissing, Busy, JobAborted, UnknownJob, WaitTimeout
from farm.job import State


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(parcels, "ROWS", 4)
    monkeypatch.setattr(parcels, "SMALL_ROWS", 0)  # all messages are the client's


@pytest.fixture
def slept(monkeypatch):
    """Give the seconds that were slept, in no time; `slept.hook` is called meanwhile."""

    class Slept(list):
        hook = staticmethod(lambda: None)

        def sleep(self, seconds):
            self.append(seconds)
            self.hook()

    made = Slept()
    monkeypatch.setattr(follow.time, "sleep", made.sleep)
    return made


def busy(seconds=1):
    return Busy("what trace batches hold", "9 bytes", seconds)


def late(world, error=DOWN):
    """Have the ledger take the next batch and its answer get lost."""
    submit = world.ledger.trace_submit

    def lost(*args, **given):
        world.ledger.trace_submit = submit
        submit(*args, **given)
        raise error

    world.ledger.trace_submit = lost


def test_what_the_scratch_store_lost_is_submitted_again():
    world = World()
    results = iter(world.batch.chunks())
    world.work(0)
    assert len(next(results)) == 4
    first = world.batch.id
    world.work(1)
    world.scratch.bodies.clear()
    world.works = True
    assert [len(part) for part in results] == [4, 2]
    assert list(world.batch) == expected()
    assert world.batch.id != first and world.scratch.bodies == {} == world.ledger.batches
    assert len(world.sent) == 5


def test_what_is_lost_again_and_again_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(module, "LOSSES", 0)
    world = World(rounds=[3])
    world.work(0)
    world.scratch.bodies.clear()
    with pytest.raises(BlobMissing):
        world.batch.wait()


def test_inputs_that_were_lost_before_a_worker_read_them_are_submitted_again():
    world = World()
    world.ledger.end(world.batch.id, State.FAILED, BlobMissing("ref", "gone"))
    world.works = True
    assert list(world.batch) == expected() and len(world.ledger.chunks) == 2


def test_a_scratch_store_that_is_away_for_a_moment_is_waited_for(monkeypatch):
    monkeypatch.setattr(follow, "AGAIN", 0.0)
    world = World()
    results = world.batch.chunks()
    world.work(0)
    next(results)
    world.work(1)
    world.work(2)
    take, away = world.scratch.take_all, [DOWN, DOWN]

    def take_later(refs, drop):
        if away:
            raise away.pop()
        return take(refs, drop)

    world.scratch.take_all = take_later
    assert [len(part) for part in results] == [4, 2]


def test_a_farm_that_is_busy_is_asked_again_when_it_said(slept):
    world = World()
    world.lose()
    world.ledger.refusals = [busy(7), busy(30)]
    assert list(world.batch) == expected()
    assert slept == [7, 30] and len(world.ledger.chunks) == 2


def test_a_farm_that_stays_busy_ends_the_wait_in_time(slept):
    world = World()
    world.lose()
    world.ledger.refusals = [busy()] * 2
    for _ in range(2):
        with pytest.raises(WaitTimeout, match="is still BUFFERED after 0 s"):
            world.batch.wait(0)
    assert slept == [] and list(world.batch) == expected()


def test_the_room_of_a_lost_batch_is_there_for_itself(slept):
    world = World()
    first = world.batch.id
    world.lose()
    submit = world.ledger.trace_submit

    def full(*args, **given):
        if first not in world.ledger.released:
            raise busy()
        return submit(*args, **given)

    world.ledger.trace_submit = full
    assert list(world.batch) == expected() and slept == [1]


def test_a_ledger_that_is_away_for_a_moment_gets_the_batch_later(slept):
    world = World()
    world.lose()
    world.ledger.answered = True
    world.ledger.refusals = [DOWN, DOWN]
    assert list(world.batch) == expected()
    assert slept == [follow.AGAIN] * 2 and len(world.ledger.chunks) == 2


def test_a_batch_whose_answer_got_lost_is_the_same_batch(slept):
    world = World()
    world.lose()
    world.ledger.answered = True
    late(world)
    assert list(world.batch) == expected()
    assert len(world.ledger.chunks) == 2 and slept == [follow.AGAIN]


def test_a_batch_the_ledger_does_not_know_is_an_error():
    world = World()
    world.ledger.trace_forget(world.batch.id)
    with pytest.raises(UnknownJob):
        world.batch.wait()


def test_a_cancelled_batch_leaves_nothing_in_the_scratch_store():
    world = World()
    world.work(0)
    assert world.batch.cancel()
    assert world.scratch.bodies == {} and world.ledger.released == [world.batch.id]
    assert world.batch.status().state is State.ABORTED  # it can still be looked at


@pytest.mark.parametrize("done", [0, 1, 3])
def test_a_cancelled_batch_is_not_submitted_again(done):
    world = World()
    for at in range(done):
        world.work(at)
    assert world.batch.cancel() is (done < 3)
    world.scratch.bodies.clear()
    for _ in range(2):
        with pytest.raises(JobAborted, match=f"job {world.batch.id} was cancelled: by request"):
            world.batch.wait()
    assert len(world.ledger.chunks) == 1 and len(world.sent) == 3


def test_what_was_made_before_it_was_cancelled_can_be_taken():
    world = World()
    for at in range(3):
        world.work(at)
    assert not world.batch.cancel()
    assert list(world.batch) == expected()


def test_a_wait_for_a_busy_farm_ends_when_the_batch_is_cancelled(slept):
    world = World()
    world.lose()
    world.ledger.refusals = [busy()]
    slept.hook = world.batch.cancel
    with pytest.raises(JobAborted):
        world.batch.wait()
    assert len(world.ledger.chunks) == 1


def test_cancelling_ends_what_the_ledger_may_have_got(slept):
    world = World()
    world.lose()
    world.works = False
    world.ledger.answered = True
    late(world)
    cancelled = []
    slept.hook = lambda: cancelled.append(world.batch.cancel())
    with pytest.raises(JobAborted):
        world.batch.wait()
    assert cancelled == [True] and world.scratch.bodies == {}
    states = [batch.state for batch in world.ledger.batches.values()]
    assert states == [State.SUCCEEDED, State.ABORTED]


def test_cancelling_while_it_is_submitted_again_ends_the_new_one():
    world = World()
    world.lose()
    world.works = False
    first, submit = world.batch.id, world.ledger.trace_submit
    cancelled, submitting, asked = [], threading.Event(), threading.Event()

    def cancel():
        submitting.wait(10)
        asked.set()
        cancelled.append(world.batch.cancel())

    def slow(*args, **given):
        submitting.set()
        asked.wait(10)
        return submit(*args, **given)

    world.ledger.trace_submit = slow
    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(JobAborted):
        world.batch.wait(10)
    thread.join()
    assert cancelled == [True] and world.batch.id != first
    assert world.batch.status().state is State.ABORTED and world.scratch.bodies == {}


def test_a_batch_that_another_wait_has_taken_meanwhile_is_there():
    world, changes = World(), World().ledger.changes

    def meanwhile(id, after, block_ms):
        world.ledger.changes = changes
        for at in range(3):
            world.work(at)
        assert list(world.batch) == expected() and world.ledger.batches == {}
        return []

    world.ledger.changes = meanwhile
    assert len(world.batch.wait()) == 10


def test_the_end_of_a_batch_is_no_news_of_the_one_submitted_again():
    world = World()
    first, entry = world.batch.id, world.batch._entry
    world.lose()
    world.works = False
    assert not entry.take(first, (), ended=True)
    again = dict(world.scratch.bodies)
    assert not entry.take(first, (), ended=True)
    assert world.batch.id != first and world.scratch.bodies == again and len(again) == 3


@pytest.mark.parametrize("lost", [False, True])
def test_threads_that_wait_for_one_batch_all_get_it(lost):
    world, found, barrier = World(), [], threading.Barrier(4, timeout=10)
    if lost:
        world.lose()
    else:
        for at in range(3):
            world.work(at)
    take = world.scratch.take_all

    def slow(refs, drop):
        threading.Event().wait(0.02)  # the others have come as far by then
        return take(refs, drop)

    world.scratch.take_all = slow

    def wait():
        barrier.wait()
        found.append([len(part) for part in world.batch.chunks()])

    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[4, 4, 2]] * 4 and list(world.batch) == expected()
    assert len(world.ledger.chunks) == 1 + lost
