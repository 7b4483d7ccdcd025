"""What a guest relies on: hashes are proved and united, receipts looked up, all of it resolved."""

import msgspec
import pytest
from fake_ledger import LIMITS, World, small_farm
from hypothesis import given, settings
from hypothesis import strategies as st
from sessions import hexed, job, keccak, ref, slot, spec, united
from test_scheduler import MOVES, move

from farm import events as e
from farm import progress
from farm.claim import ZERO
from farm.errors import BlobMissing
from farm.job import State
from farm.session import Span
from farm.wire import Assumed

GIVEN = ref("a receipt")


@pytest.fixture
def world():
    return small_farm()


def submit(world, wanted, count=1, keccaks=0, receipts=(), seq=1):
    name = world.submit(wanted, count, seq)
    world.keccaks[name], world.receipts[name] = keccaks, receipts
    return name


def steps(world):
    return [sent.message.step for sent in world.sent]


def sent(world, step):
    return next(one.message for one in world.sent if one.message.step == step)


def test_a_given_receipt_discharges_the_assumption(world):
    submit(world, spec(assumptions=[GIVEN]), receipts=(GIVEN,))
    world.settle()
    assert steps(world) == ["execute", "prove:0-1", "resolve:0-1"]
    assert sent(world, "execute").inputs == [ref("program"), ref("input"), GIVEN]
    assert sent(world, "resolve:0-1").inputs[1] == GIVEN
    assert sent(world, "resolve:0-1").args["claim"] == hexed("resolved 0")
    assert world.ended["j1"].state is State.SUCCEEDED


def test_several_are_resolved_in_their_order(world):
    receipts = tuple(ref(f"receipt {at}") for at in range(3))
    submit(world, spec(assumptions=list(receipts)), count=3, receipts=receipts)
    world.settle()
    assert steps(world)[-3:] == ["resolve:0-1", "resolve:1-2", "resolve:2-3"]
    assert world.ended["j1"].state is State.SUCCEEDED


def test_hashes_are_proved_while_the_guest_runs_and_united(world):
    name = submit(world, spec(), keccaks=3)
    for index in range(2):
        world.keccak(name, index)
    assert set(steps(world)) == {"execute", "keccak:0-1", "keccak:1-2"}
    world.settle()
    assert set(steps(world)[3:]) == {
        *("prove:0-1", "keccak:2-3", "union:0-2", "union:0-3", "resolve:0-1")
    }
    union = sent(world, "union:0-3")
    assert union.args["claim"] == united(Span(0, 3))[0]
    assert world.ended["j1"].state is State.SUCCEEDED


def test_each_kind_of_output_is_verified_as_what_it_is(world):
    forms = {}
    verify = world.on_verify

    def note(asked):
        forms[asked.step] = (asked.form, asked.claim)
        verify(asked)

    world.on_verify = note
    name = submit(world, spec(), keccaks=2)
    world.settle()
    assert {step: form for step, (form, _) in forms.items()} == {
        "prove:0-1": "succinct",
        "union:0-2": "succinct",
        "resolve:0-1": "succinct",
        "keccak:0-1": "keccak",
        "keccak:1-2": "keccak",
    }
    assert forms["keccak:1-2"][1] == keccak(1).digest
    assert name in world.closed


def test_a_composite_receipt_has_every_proof_and_nothing_is_folded_but_hashes(world):
    wanted = spec(receipt="composite", assumptions=[GIVEN])
    submit(world, wanted, count=2, keccaks=2, receipts=(GIVEN,))
    world.settle()
    made = {"execute", "prove:0-1", "prove:1-2", "keccak:0-1", "keccak:1-2", "union:0-2"}
    assert set(steps(world)) == made
    assert sent(world, "prove:0-1").args["lift"] is False
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_wrap_comes_last_and_first_of_all(world):
    submit(world, spec(receipt="groth16", assumptions=[GIVEN]), receipts=(GIVEN,))
    world.settle()
    assert steps(world)[-2:] == ["resolve:0-1", "wrap:1-2"]
    assert world.ended["j1"].state is State.SUCCEEDED


@pytest.mark.parametrize("kind", ["execute", "trace"])
def test_nothing_is_proved_of_what_is_only_executed(world, kind):
    name = submit(world, spec(kind=kind, receipt=kind), count=3, keccaks=2)
    world.on_commit = lambda asked: world.tell(e.Finalized(asked.session, ref("played")))
    world.settle()
    assert steps(world) == ["execute"]
    assert world.closed[name].state is State.SUCCEEDED


def test_a_claim_that_nothing_proves_ends_the_session(world):
    name = submit(world, spec())
    record = world.executed(name)
    alone = msgspec.structs.replace(
        record, assumptions=[Assumed(hexed("claim"), ZERO, hexed("resolved"))]
    )
    world.tell(e.Executed(name, 1, alone))
    assert world.closed[name].error.code == "AssumptionMissing"
    assert hexed("claim") in str(world.closed[name].error)


def test_hashes_that_were_not_heard_of_are_waited_for(world):
    name = submit(world, spec(), keccaks=1)
    world.tell(e.Executed(name, 1, world.executed(name)))
    assert name not in world.closed
    world.keep(name, keccaks={0: keccak(0)}, executed=world.executed(name))
    world.segment(name, 0)
    world.compare()
    world.out.pop((name, "execute"))
    world.settle()
    assert world.ended["j1"].state is State.SUCCEEDED


def test_progress_says_what_is_known(world):
    name = submit(world, spec(), count=4, keccaks=2)
    for index in range(3):
        world.segment(name, index)
    entry = progress.entry(world.scheduler.courses[name])
    assert (entry["segments"], entry["segments_known"], entry["folds_due"]) == (3, 0, 0)
    world.done((name, "execute"))
    entry = progress.entry(world.scheduler.courses[name])
    assert (entry["segments"], entry["segments_known"], entry["folds_due"]) == (4, 1, 3 + 1 + 1)
    assert (entry["keccaks"], entry["keccaks_proved"]) == (2, 0)


def gone(world, data):
    """Let a step miss one of its inputs."""
    found = sorted(key for key, one in world.out.items() if one.message.kind != "execute")
    if found:
        key = data.draw(st.sampled_from(found))
        lost = data.draw(st.sampled_from(world.out[key].message.inputs))
        world.fail(key, BlobMissing(lost, "not in the store"))


@settings(max_examples=80, deadline=None)
@given(
    data=st.data(),
    counts=st.lists(
        st.tuples(st.integers(1, 7), st.integers(0, 7), st.integers(0, 2)), min_size=1, max_size=3
    ),
    kind=st.sampled_from(["succinct", "succinct", "composite", "groth16"]),
    cores=st.integers(1, 4),
    devices=st.booleans(),
)
def test_every_order_of_events_ends_in_one_receipt_with_all_resolved(
    data, counts, kind, cores, devices
):
    world = World(LIMITS._replace(attempts=10_000))
    how = {"cores": [], "lanes": 3} if devices else {}
    all_slots = [slot(n, machine=f"m{n % 2}", **how) for n in range(cores)]
    all_slots += [slot(0, kind="execute", lanes=2)]
    for one in all_slots:
        world.up(one)
    for number, (count, keccaks, relied_on) in enumerate(counts):
        receipts = tuple(ref(f"receipt {number}.{at}") for at in range(relied_on))
        wanted = spec(f"j{number}", image_id=hexed(str(number)), receipt=kind, priority=number % 2)
        wanted = msgspec.structs.replace(wanted, assumptions=list(receipts))
        submit(world, wanted, count, keccaks, receipts, seq=number)
    for _ in range(80):
        what = data.draw(st.sampled_from([*MOVES, "done", "verify", "gone"]))
        gone(world, data) if what == "gone" else move(world, what, data, all_slots)
    for one in all_slots:
        if one.name not in world.slots:
            world.up(one)
    world.compare()
    world.lapse()
    world.settle()
    assert {id: end.state for id, end in world.ended.items()} == {
        f"j{number}": State.SUCCEEDED for number in range(len(counts))
    }
    assert len(world.scheduler.floor.free()) == cores
    assert len(world.scheduler.proving) == world.scheduler.proving.bytes == 0
    assert len(world.scheduler.executing) == 0


def test_a_missing_union_is_made_again_and_no_hash_is_proved_twice(world):
    name = submit(world, spec(), keccaks=2)
    while (name, "resolve:0-1") not in world.out:
        world.verify() if world.verifying else world.done(next(iter(world.out)))
    lost = world.out[name, "resolve:0-1"].message.inputs[1]
    world.fail((name, "resolve:0-1"), BlobMissing(lost, "not in the store"))
    world.settle()
    assert steps(world).count("union:0-2") == 2
    assert steps(world).count("keccak:0-1") == 1
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_missing_request_runs_the_guest_once_more(world):
    name = submit(world, spec(), keccaks=1)
    world.done((name, "execute"))
    lost = keccak(0).ref
    world.fail((name, "keccak:0-1"), BlobMissing(lost, "not in the store"))
    assert world.out[name, "execute"].message.attempt == 2
    world.settle()
    assert world.ended["j1"].state is State.SUCCEEDED


def test_cancelling_drops_all_of_it(world):
    name = submit(world, spec(), keccaks=5)
    world.done((name, "execute"))
    world.tell(e.JobLeft(name, "j1"))
    assert len(world.scheduler.proving) == 0 and not world.scheduler.courses
    assert len(world.scheduler.floor.free()) == 2


def test_a_restart_goes_on_from_what_is_bound(world):
    name = submit(world, spec(assumptions=[GIVEN]), count=2, keccaks=2, receipts=(GIVEN,))
    while (name, "resolve:1-2") not in world.out:
        world.verify() if world.verifying else world.done(next(iter(world.out)))
    before = len(world.sent)
    world.restart()
    world.settle()
    assert len(world.sent) == before
    assert world.ended["j1"].state is State.SUCCEEDED


def test_a_second_job_of_the_session_hears_the_same(world):
    name = submit(world, spec("j1"), keccaks=1)
    second = job(spec("j2"), seq=2)
    world.keep(name, waiters=[*world.sessions[name].waiters, second])
    world.tell(e.JobJoined(name, second))
    world.settle()
    assert {end.receipt for end in world.ended.values()} == {ref("receipt")}
