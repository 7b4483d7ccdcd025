"""What a step tells of its cost: which host verb, on what, how large, and what it took."""

import threading

import pytest

from farm.blobs import DirectoryBlobs
from farm.children import Children
from farm.host import HostChild
from farm.settings import Settings
from farm.step import Step
from farm.terms import Features
from farm.watch import Watch
from farm.wire import StepMessage

SPIN = b'{"spin": 0.1}'


class Steps:
    """Takes what is told of costs."""

    def __init__(self):
        self.seen = []

    def observe(self, seen):
        self.seen += seen()

    def proof_po2(self, session, step):
        return {"prove:3-4": 18}.get(step, 0)


@pytest.fixture
def ask(tmp_path, standin):
    def ask(verb, step, **environment):
        steps = Steps()
        known = {"session": "s", "job": "j", "step": step, "kind": "prove", "attempt": 1}
        message = StepMessage(**known, slot="x", width=2, limit_s=60)
        children = Children(lambda: HostChild(standin(**environment)), 1)
        with Watch(lambda: True, Settings(), 60) as watch:
            made = Step(
                message, steps, DirectoryBlobs(tmp_path), children, watch, threading.Event()
            )
            with made.host() as host:
                host(verb, [SPIN], on_segment=lambda facts, body: None)
        children.close()
        return {one.name: one for one in steps.seen}

    return ask


def test_a_proof_tells_the_size_of_its_segment_and_its_width(ask):
    told = ask("prove", "prove:3-4")
    assert set(told) == {"risc0/prove/cpu", "risc0/prove/cpu/wall"}
    assert all(one.features == Features(po2=18, width=2) for one in told.values())
    # The stand-in spins on one core, and a clock tick is a hundredth of a second.
    assert told["risc0/prove/cpu/wall"].seconds >= 0.1
    assert told["risc0/prove/cpu"].seconds > 0


def test_a_proof_of_unknown_size_tells_nothing(ask):
    assert ask("prove", "prove:4-5") == {}


def test_a_fold_has_no_size(ask):
    (one, _) = ask("join", "join:0-2").values()
    assert one.features == Features(width=2)


def test_a_gpu_is_another_device(ask):
    assert "risc0/lift/cuda" in ask("lift", "prove:3-4", FARM_STANDIN_FEATURES="cpu cuda")


def test_a_guest_tells_its_cycles(ask):
    assert ask("execute", "execute") == {}, "the stand-in counts none"
