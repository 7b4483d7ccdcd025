"""What came in together: one decision about all of it, one word of progress a session."""

from fake_ledger import World, small_farm
from sessions import ref, slot, spec

from farm import events as e
from farm import instructions as do


def test_what_is_sent_is_decided_after_all_that_was_heard():
    one, other = World(), World()
    for world in (one, other):
        world.up(slot(0))
        world.up(slot(0, kind="execute"))
        world.submit(spec("j1", image_id="11" * 32), count=1)
    low, high = (spec(id, image_id=id[1] * 64, priority=n) for n, id in enumerate(("j2", "j3")))
    for wanted in (low, high):
        one.submit(wanted)
    # Both were there when the executor was free again: the more urgent one goes first.
    facts = [one.sessions[name] for name in list(one.sessions)[1:]]
    scheduler = other.scheduler
    for fact in facts:
        scheduler.hear(e.SessionSeen(fact))
    done = next(iter(other.out))
    scheduler.hear(e.StepLost(*done, 1, leased=False))
    scheduler.hear(e.JobLeft(done[0], "j1"))
    sent = [told for told in scheduler.decide() if isinstance(told, do.Send)]
    assert [told.message.job for told in sent] == ["j3"]


def test_a_burst_of_progress_is_one_word_of_each_session():
    world = small_farm()
    names = [world.submit(spec(f"j{n}", image_id=f"{n:02}" * 32), 9, seq=n) for n in (1, 2)]
    scheduler = world.scheduler
    for _ in range(9):
        for name in names:
            record = world.sessions[name]
            scheduler.hear(e.JobJoined(name, record.waiters[0]))
    told = [one for one in scheduler.progress() if isinstance(one, do.Progress)]
    assert [one.session for one in told] == names
    assert scheduler.progress() == []


def test_what_was_not_told_yet_goes_before_the_end():
    world = small_farm()
    name = world.submit(spec())
    world.done((name, "execute"))
    world.done((name, "prove:0-1"))
    asked = world.verifying.pop()
    world.scheduler.hear(e.Verified(name, asked.step, asked.attempt, asked.ref))
    world.scheduler.hear(e.Finalized(name, ref("receipt")))
    told = world.scheduler.decide()
    kinds = [type(one) for one in told]
    assert kinds.index(do.Progress) < kinds.index(do.Close)
    assert next(one for one in told if isinstance(one, do.Progress)).entry["proved"] == 1
    assert world.scheduler.progress() == []
