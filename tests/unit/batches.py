"""A trace batch of stand-ins, and a worker that does what the test tells it."""

from fake_farm import FakeLedger, MemoryScratch, intake, work_trace

from farm import trace_plain
from farm.batch import Batch
from farm.witness import read_inputs


class World:
    """A batch of ten proofs; while `works`, chunks are done as soon as they are sent."""

    def __init__(self, rounds=tuple(range(1, 11)), **given):
        self.ledger, self.scratch, self.sent = FakeLedger(), MemoryScratch(), []
        self.works = False
        self.intake = intake(self.ledger, self.scratch, self.send, **given)
        self.batch = self.submit(rounds)

    def submit(self, rounds):
        return Batch.submit(read_inputs("fib.v0", list(rounds)), self.intake)

    def send(self, messages):
        start = len(self.sent)
        self.sent.extend(messages)
        for at in range(start, len(self.sent)) if self.works else ():
            self.work(at)

    def work(self, at, spoil=lambda rows: rows):
        """Do chunk `at` as a worker does."""
        work_trace(self.ledger, self.scratch, self.sent[at], spoil)

    def lose(self):
        """Have all chunks done and then lost; those handed in again are done at once."""
        for at in range(len(self.sent)):
            self.work(at)
        self.scratch.bodies.clear()
        self.ledger.script.clear()  # it tells whoever asks, of whatever batch
        self.works = True


def expected(rounds=tuple(range(1, 11))):
    return [trace_plain.prove("fib.v0", n, [0, 1]) for n in rounds]
