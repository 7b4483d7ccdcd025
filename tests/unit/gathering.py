"""A gatherer of single submits that a test drives turn by turn."""

from fake_farm import FakeLedger, MemoryScratch, intake, work_trace

from farm import trace_plain
from farm.gather import Gatherer

LINGER = 0.004


class World:
    """A gatherer whose turns the test makes, on a clock that the test moves."""

    def __init__(self, **given):
        self.now = 100.0
        self.ledger, self.scratch = FakeLedger(), MemoryScratch()
        self.intake = intake(self.ledger, self.scratch, lambda messages: None, **given)
        self.gatherer = Gatherer(self.intake, LINGER, lambda: self.now)
        self.gatherer._rouse = lambda: None  # no thread: the test is the thread

    def submit(self, *rows, program="fib.v0"):
        return [self.gatherer.submit(program, *row) for row in rows]

    def turn(self, seconds=0.0):
        self.now += seconds
        self.gatherer.turn()

    def flying(self):
        """Return the batches that are accepted and not taken."""
        return list(self.ledger.batches)

    def work(self, batch):
        for chunk in self.ledger.chunks[batch]:
            work_trace(self.ledger, self.scratch, chunk.message)


def proofs(*rounds):
    return [trace_plain.prove("fib.v0", n, [0, 1]) for n in rounds]
