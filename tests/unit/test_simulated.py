"""The stand-in for a host child: its pace, its death, its record, what it says of itself."""

import json
import threading
import time

import pytest
from simulating import PROFILE, PROGRAM, prove, run, whole

from farm import hosts, simulated_device
from farm.blobs import DirectoryBlobs
from farm.errors import (
    BadSetting,
    HostDied,
    HostFailed,
    JobAborted,
    StepHung,
    WrongClaim,
)
from farm.settings import Settings
from farm.simulated import SimulatedChild
from farm.simulated_blobs import SlowBlobs
from farm.simulated_device import Device

#: A speed at which whole steps take less than a millisecond.
FAST = 10_000.0
#: One at which a step would take an hour.
STUCK = 1e-4


@pytest.fixture
def device(tmp_path):
    return Device("risc0-m-0", PROFILE.memory, simulated_device.folder(tmp_path))


def lines(tmp_path):
    return list(simulated_device.read(tmp_path))


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def in_progress(child, verb, *parts):
    """Return a thread that asks, and the list that gets what it ends with."""
    ended = []

    def ask():
        try:
            ended.append(child.request(verb, {}, parts))
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    return thread, ended


def test_it_says_that_it_is_simulated():
    greeting = SimulatedChild(PROFILE).greeting
    assert (greeting.mode, greeting.suits(), greeting.features) == ("simulated", True, [])
    assert hosts.has_device(greeting)


def test_an_execution_hands_over_its_segments_one_after_the_other():
    found = []
    child = SimulatedChild(PROFILE, FAST)
    stdin = json.dumps({"segments": 3, "journal": 5}).encode()
    answer = child.request("execute", {"po2": 16}, [PROGRAM, stdin], lambda *one: found.append(one))
    assert [facts["index"] for facts, _ in found] == [0, 1, 2]
    assert (answer.done["segments"], len(answer.parts[0])) == (3, 5)


def test_an_execution_draws_entropy_of_its_own_or_of_its_seed():
    child = SimulatedChild(PROFILE, FAST)

    def post(**seed):
        found, parts = [], [PROGRAM, b'{"segments": 2}']
        child.request("execute", {"po2": 16} | seed, parts, lambda *one: found.append(one[0]))
        return found[0]["claim"]["post"]

    assert len({post(), post(), post(seed="5a"), post(seed="5a"), post(seed="5b")}) == 4


def test_a_receiver_that_fails_ends_the_execution_and_the_child():
    child = SimulatedChild(PROFILE, FAST)

    def full(*_):
        raise JobAborted("j", "enough")

    with pytest.raises(JobAborted):
        child.request("execute", {"po2": 16}, [PROGRAM, b""], full)
    assert not child.alive
    with pytest.raises(HostFailed, match="nobody takes its segments"):
        SimulatedChild(PROFILE, FAST).request("execute", {"po2": 16}, [PROGRAM, b""])


def test_a_refusal_leaves_it_alive_and_a_failure_does_not():
    child = SimulatedChild(PROFILE, FAST)
    with pytest.raises(WrongClaim):
        child.request("verify", {"image_id": "11" * 32}, [whole(run())])
    assert child.alive
    with pytest.raises(HostFailed):
        child.request("wrap", {}, [b""])
    assert not child.alive
    with pytest.raises(HostDied):
        child.request("verify", {}, [whole(run())])


def test_it_can_be_killed_in_the_middle_of_a_step(device, tmp_path):
    child = SimulatedChild(PROFILE, STUCK, device)
    segment = run().segments[0].parts[0]
    child._kept.add(run().segments[0].facts["digest"])  # straight on to the device
    thread, ended = in_progress(child, "prove", segment)
    until(lambda: lines(tmp_path))
    child.kill(JobAborted("j", "enough"))
    thread.join(10)
    assert isinstance(ended[0], JobAborted)
    assert [line.verb for line in lines(tmp_path)] == ["prove"]  # begun, and never ended
    assert child.cpu_seconds() is None


def test_it_moves_while_it_is_at_work_and_only_then():
    child = SimulatedChild(PROFILE, STUCK)
    still = child.cpu_seconds()
    assert child.cpu_seconds() == still
    thread, ended = in_progress(child, "verify", whole(run()))
    until(lambda: child.cpu_seconds() > still)
    moved = child.cpu_seconds()
    until(lambda: child.cpu_seconds() > moved)
    child.kill()
    thread.join(10)
    assert isinstance(ended[0], HostDied)


def test_an_answer_that_would_come_too_late_is_not_waited_for():
    child = SimulatedChild(PROFILE, STUCK)
    with pytest.raises(StepHung):
        child.request("verify", {}, [whole(run())], seconds=0.01)


def test_the_children_of_a_slot_have_its_device_one_at_a_time(device, tmp_path):
    children = [SimulatedChild(PROFILE, 50.0, device) for _ in range(3)]
    made = [prove(one) for one in run(segments=2).segments]
    threads = [in_progress(child, "join", *made)[0] for child in children]
    for thread in threads:
        thread.join(10)
    found = lines(tmp_path)
    assert [line.verb for line in found] == ["join", "", "join", "", "join", ""]
    begun, ended = found[::2], found[1::2]
    assert [line.step for line in begun] == [line.step for line in ended]
    assert begun[0].span == (0, 2)


def test_a_fold_goes_before_the_proofs_that_wait_for_the_device(device, tmp_path):
    ran = run(segments=2)
    made = [prove(one) for one in ran.segments]
    slow, quick = SimulatedChild(PROFILE, STUCK, device), SimulatedChild(PROFILE, FAST, device)
    slow._kept |= {one.facts["digest"] for one in ran.segments}
    first, _ = in_progress(slow, "prove", *ran.segments[0].parts)
    until(lambda: lines(tmp_path))
    second = in_progress(SimulatedChild(PROFILE, FAST, device), "prove", *ran.segments[1].parts)[0]
    until(lambda: len(device._waiting) == 1)
    third = in_progress(quick, "join", *made)[0]
    until(lambda: len(device._waiting) == 2)
    slow.kill()
    for thread in (first, second, third):
        thread.join(10)
    assert [line.verb for line in lines(tmp_path)] == ["prove", "join", "", "prove", ""]


def test_a_step_that_does_not_fit_the_device_kills_the_child(tmp_path):
    small = Device("risc0-m-0", 20.0, simulated_device.folder(tmp_path))
    child = SimulatedChild(PROFILE, FAST, small)
    with pytest.raises(HostDied, match="SIGABRT: out of memory: it takes 24 GiB of 20"):
        child.request("prove", {}, run(po2=21).segments[0].parts)
    assert not child.alive
    SimulatedChild(PROFILE, FAST, small).request("prove", {}, run(po2=20).segments[0].parts)


def test_the_store_of_a_simulated_farm_takes_its_time_over_what_a_file_plays(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr("farm.simulated_blobs.time.sleep", waited.append)
    blobs = SlowBlobs(DirectoryBlobs(tmp_path), PROFILE, 2.0)
    ref = blobs.put(run().segments[0].parts[0])
    assert blobs.has(ref)
    blobs.get(ref)
    assert waited == [pytest.approx((0.001 + 4_000_000 / 1.25e9) / 2)] * 2
    blobs.delete(ref)
    assert not blobs.has(ref)


def test_a_farm_that_is_simulated_starts_stand_ins_and_needs_no_host(tmp_path):
    settings = Settings(state=tmp_path, simulated="rtx5090", host="/nowhere/farm-host")
    assert hosts.there(settings)
    start = hosts.starter(settings, slot="risc0-m-0")
    assert start()._device is start()._device is not None
    assert hosts.starter(settings)()._device is None
    assert isinstance(hosts.slowed(settings, DirectoryBlobs(tmp_path)), SlowBlobs)


def test_a_simulation_that_cannot_be_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(BadSetting, match="no profile"):
        hosts.there(Settings(state=tmp_path, simulated="rtx9"))
    with pytest.raises(BadSetting, match="simulated_speed"):
        hosts.there(Settings(state=tmp_path, simulated="rtx5090", simulated_speed=0))
