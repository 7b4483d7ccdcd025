"""Provers and batches that do as a test tells them, for tests of what stands before them."""

import threading

from farm import trace
from farm.columns import Inputs, Outputs
from farm.errors import JobFailed, WaitTimeout
from farm.witness import read_inputs

LIMIT = 8


class Prover:
    """Proves, and remembers what it was asked; `gate` holds it up."""

    def __init__(self, gate: threading.Event | None = None):
        self.asked: list[Inputs] = []
        self.gate, self.began = gate, threading.Event()

    def __call__(self, inputs: Inputs) -> Outputs:
        self.asked.append(inputs)
        self.began.set()
        if self.gate:
            assert self.gate.wait(10)
        return trace.prove(inputs, LIMIT)

    @property
    def rows(self) -> list[int]:
        return [n for inputs in self.asked for n in inputs.rounds.tolist()]


def fib(*rounds: int) -> Inputs:
    return read_inputs("fib.v0", list(rounds))


def same(done: Outputs, inputs: Inputs) -> bool:
    return done.pack("") == trace.prove(inputs, LIMIT).pack("")


class Batch:
    """What was sent: `wait` gives its proofs, or fails."""

    def __init__(self, wait):
        self._wait, self.cancelled = wait, 0

    def wait(self, timeout=None, progress=None):
        return self._wait(timeout)

    def cancel(self):
        self.cancelled += 1
        return True


def failing(part):
    def wait(timeout):
        raise JobFailed("b1", "its worker is gone")

    return Batch(wait)


def never(part):
    def wait(timeout):
        raise WaitTimeout("b1", "RUNNING", timeout)

    return Batch(wait)
