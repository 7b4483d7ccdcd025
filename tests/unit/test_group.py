"""The chunks of one message: leased together, proved together, each with an end of its own."""

import threading
import time

import pytest
from fake_farm import MemoryScratch

from farm import attempt, group, trace, wire
from farm.attempt import Worker
from farm.columns import Outputs
from farm.errors import BlobMissing, LedgerDown, StoreFailed
from farm.session import Slot, Span, step_name
from farm.settings import Settings
from farm.steps import Hold
from farm.wire import StepMessage
from farm.witness import read_inputs


class Steps:
    """Answers as told; what is not told is as a worker hopes."""

    def __init__(self):
        self.answers, self.bound, self.errors, self.renewed, self.away = {}, {}, {}, [], []

    def lease_all(self, attempts, slot, token):
        self._hear("lease")
        return [self.answers.get(("lease", name), Hold.LEASED) for name, *_ in attempts]

    def renew_all(self, attempts):
        self.renewed.append(attempts)
        return [self.answers.get(("renew", name), Hold.HELD) for name, *_ in attempts]

    def trace_all_done(self, results):
        self._hear("done")
        holds = [self.answers.get(("done", at[0]), Hold.HELD) for at, _ in results]
        kept = zip(results, holds, strict=True)
        self.bound |= {at[0]: ref for (at, ref), hold in kept if hold is Hold.HELD}
        return holds

    def failed(self, session, step, attempt, error):
        self._hear("failed")
        self.errors[session] = error
        return Hold.HELD

    def _hear(self, name):
        if name in self.away:
            self.away.remove(name)
            raise LedgerDown("there", "gone")


class World:
    def __init__(self):
        self.steps, self.scratch, self.proved = Steps(), MemoryScratch(), []
        slot = Slot(name="trace-m-0", kind="trace", machine="m", incarnation="i")
        own = {"steps": self.steps, "blobs": None, "scratch": self.scratch, "children": None}
        settings = Settings(beat_seconds=0.01)
        self.worker = Worker(slot=slot, settings=settings, **own)
        attempt.install(self.worker)

    def chunk(self, batch, rounds, program="fib.v0", number=1, **args):
        inputs = read_inputs(program, *([rounds] if program == "fib.v0" else [None, rounds]))
        step = step_name("trace", Span(0, len(inputs)))
        ref = self.scratch.put(inputs.pack(f"{batch} {step}"))
        known = {"session": batch, "job": batch, "step": step, "kind": "trace", "slot": ""}
        known |= {"attempt": number, "inputs": [ref], "limit_s": 9.0}
        return StepMessage(**known, args={"rows": len(inputs), "steps": 9} | args).kwargs()

    def do(self, *chunks, prove=None):
        def proves(inputs):
            """Prove rows."""
            self.proved.append((inputs.program, len(inputs)))
            return prove(inputs) if prove else trace.prove(inputs, 1000)

        task = group.chunks(proves)
        task(**(wire.together(chunks) if len(chunks) > 1 else chunks[0]))
        return task

    def steps_of(self, batch):
        step = step_name("trace", Span(0, 2))
        return Outputs.unpack(self.scratch.get(self.steps.bound[batch]), f"{batch} {step}").steps


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr("farm.step.AGAIN", 0.001)
    return World()


def test_chunks_of_a_program_are_proved_at_once_and_bound_apart(world):
    sha = world.chunk("c", [[1], [2] * 9], "sha256.v0")
    task = world.do(world.chunk("a", [5, 6]), sha, world.chunk("b", [7, 8]))
    assert task.__doc__ == "Prove rows."
    assert world.proved == [("fib.v0", 4), ("sha256.v0", 2)]
    assert world.steps_of("a").tolist() == [7, 8] and world.steps_of("b").tolist() == [9, 10]
    assert world.steps_of("c").tolist() == [2, 6] and world.steps.errors == {}


def test_a_message_may_be_of_one_chunk(world):
    world.do(world.chunk("a", [5, 6]))
    assert world.steps_of("a").tolist() == [7, 8]


def test_what_another_has_is_left_out(world):
    world.steps.answers["lease", "b"] = Hold.STALE
    world.do(world.chunk("a", [5, 6]), world.chunk("b", [7, 8]))
    assert world.proved == [("fib.v0", 2)] and list(world.steps.bound) == ["a"]


def test_a_message_of_which_nothing_is_left_is_dropped(world):
    world.steps.answers["lease", "a"] = Hold.CANCELLED
    world.do(world.chunk("a", [5, 6]))
    assert world.proved == [] and world.steps.errors == {}


def test_a_message_that_cannot_be_read_is_dropped(world):
    bad = world.chunk("a", [5, 6]) | {"v": 2}
    world.do(bad, world.chunk("b", [7, 8]))
    world.do({"v": 1, "chunks": "all"})
    assert world.proved == [] and world.steps.errors == {}


def test_a_chunk_without_inputs_fails_alone(world):
    lost = world.chunk("a", [5, 6])
    world.scratch.bodies.clear()
    world.do(lost, world.chunk("b", [7, 8]))
    assert type(world.steps.errors["a"]) is BlobMissing
    assert world.steps_of("b").tolist() == [9, 10]


def test_a_chunk_that_cannot_be_proved_fails_alone(world):
    def prove(inputs):
        if 13 in inputs.rounds:
            raise ZeroDivisionError("unlucky")
        return trace.prove(inputs, 1000)

    chunks = [world.chunk(name, [n, n]) for name, n in (("a", 5), ("b", 13), ("c", 7))]
    world.do(*chunks, prove=prove)
    assert set(world.steps.bound) == {"a", "c"}
    assert str(world.steps.errors["b"]) == "worker: ZeroDivisionError: unlucky"


def test_a_scratch_store_that_is_full_fails_all_that_is_left(world, monkeypatch):
    def full(bodies):
        raise StoreFailed("scratch", "full")

    monkeypatch.setattr(world.scratch, "put_all", full)
    world.do(world.chunk("a", [5, 6]), world.chunk("b", [7, 8]))
    assert {type(error) for error in world.steps.errors.values()} == {StoreFailed}
    assert set(world.steps.errors) == {"a", "b"} and world.steps.bound == {}


@pytest.mark.parametrize("answer", [Hold.LOST, Hold.CANCELLED])
def test_results_nobody_wants_are_deleted_and_those_of_others_are_not(world, answer):
    world.do(world.chunk("a", [5, 6]))
    world.steps.answers["done", "a"] = answer
    world.do(world.chunk("a", [5, 6], number=2), world.chunk("b", [7, 8]))
    assert world.steps_of("a").tolist() == [7, 8] and world.steps_of("b").tolist() == [9, 10]
    results = [body for body in world.scratch.bodies.values() if b'"codes"' in body]
    assert len(results) == 2


def test_a_ledger_that_is_away_for_a_moment_is_waited_for(world):
    world.steps.away = ["lease", "done", "failed"]
    lost = world.chunk("a", [5, 6])
    world.scratch.bodies.clear()
    world.do(lost, world.chunk("b", [7, 8]))
    assert set(world.steps.bound) == {"b"} and set(world.steps.errors) == {"a"}


def test_a_worker_that_leaves_waits_for_no_ledger(world):
    world.worker.stopping.set()
    world.steps.away = ["lease"]
    world.do(world.chunk("a", [5, 6]))
    assert world.proved == []
    world.steps.away = ["done"]
    world.do(world.chunk("a", [5, 6]))
    assert world.steps.bound == {} == world.steps.errors


def test_leases_of_long_work_are_renewed_and_dropped_once_none_is_held(world):
    world.steps.answers["renew", "a"] = Hold.LOST
    lost = threading.Event()

    def prove(inputs):
        world.steps.answers["renew", "b"] = Hold.LOST
        while any(one.name == "watch" for one in threading.enumerate()):
            time.sleep(0.01)  # it ends once nothing is held any more
        lost.set()
        return trace.prove(inputs, 1000)

    world.steps.away = ["done"]
    chunks = [world.chunk(name, [5, 6], steps=group.SHORT) for name in ("a", "b")]
    world.do(*chunks, prove=prove)
    assert lost.is_set() and len(world.steps.renewed[0]) == 2
    assert world.steps.bound == {} == world.steps.errors


def test_short_work_needs_no_thread_to_renew_it(world):
    names = []
    world.do(
        world.chunk("a", [5, 6]),
        prove=lambda inputs: (
            names.extend(one.name for one in threading.enumerate()) or trace.prove(inputs, 1000)
        ),
    )
    assert "watch" not in names
