"""Nothing is proved twice, everything comes back in order, and one batch's failure is its own."""

import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import trace
from farm.cache import TraceCache
from farm.columns import Inputs, Outputs
from farm.errors import JobFailed, WaitTimeout
from farm.flight import Flight
from farm.keying import Keyer
from farm.reuse import Reuse
from farm.witness import read_inputs
from farm.worth import Use, Worth

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


rows = st.lists(st.tuples(st.integers(0, LIMIT + 1), st.integers(1, 3)), max_size=20)


@given(st.lists(rows, max_size=5), st.sampled_from([None, 0, 1, 5]), st.sampled_from([0, 1, 64]))
def test_reused_proofs_are_the_proofs(sequence, capacity, bits):
    reuse = Reuse(TraceCache(LIMIT, capacity, keyer=Keyer(bits=bits)))
    for batch in sequence:
        inputs = read_inputs("fib.v0", [n for n, _ in batch], [[1] * width for _, width in batch])
        assert same(reuse.prove(inputs, Prover()), inputs)


def test_what_was_proved_is_not_proved_again():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    for batch in (fib(3, 4, 3, 3), fib(5, 4, 3, 6), fib(6, 5)):
        assert same(reuse.prove(batch, prover), batch)
    assert prover.rows == [3, 4, 5, 6]
    stats = reuse.stats()
    assert (stats.hits, stats.misses) == (6, 4)


def test_rows_without_a_proof_are_asked_for_each_time():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    batch = fib(0, 3, LIMIT + 1)
    for _ in range(2):
        done = reuse.prove(batch, prover)
        assert same(done, batch) and str(done.row("fib.v0", 0)).startswith("item 0:")
    assert prover.rows == [3, 0, LIMIT + 1, 0, LIMIT + 1]


def test_an_empty_batch_and_one_that_is_all_held_reach_nobody():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    assert len(reuse.prove(fib(), Prover())) == 0
    for _ in range(3):
        assert same(reuse.prove(fib(2, 3), prover), fib(2, 3))
    assert len(prover.asked) == 1


def test_a_batch_that_shares_nothing_passes_as_it_is():
    reuse, prover, batch = Reuse(TraceCache(LIMIT)), Prover(), fib(2, 3, 4)
    reuse.prove(batch, prover)
    assert prover.asked[0] is batch


def test_what_another_thread_proves_is_waited_for():
    reuse, gate = Reuse(TraceCache(LIMIT)), threading.Event()
    slow, quick, done = Prover(gate), Prover(), {}

    def first():
        done["first"] = reuse.prove(fib(2, 3, 4), slow)

    def second():
        done["second"] = reuse.prove(fib(4, 5, 2, 4), quick)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert slow.began.wait(10)
    threads[1].start()
    assert quick.began.wait(10)
    gate.set()
    for thread in threads:
        thread.join()
    assert same(done["first"], fib(2, 3, 4)) and same(done["second"], fib(4, 5, 2, 4))
    assert (slow.rows, quick.rows) == ([2, 3, 4], [5])


def test_of_two_batches_that_were_sent_either_may_be_waited_for_first():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    waits = [
        reuse.start(batch, lambda part: lambda timeout: prover(part))
        for batch in (fib(2, 3), fib(3, 4))
    ]
    assert same(waits[1](None), fib(3, 4)) and same(waits[0](None), fib(2, 3))
    assert sorted(prover.rows) == [2, 3, 4]
    assert same(waits[1](None), fib(3, 4))


def failing(part):
    def wait(timeout):
        raise JobFailed("b1", "its worker is gone")

    return wait


def test_a_failure_is_not_shared():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    first = reuse.start(fib(2, 3), failing)
    second = reuse.start(fib(3, 4), lambda part: lambda timeout: prover(part))
    assert same(second(None), fib(3, 4))
    assert sorted(prover.rows) == [3, 4]
    with pytest.raises(JobFailed, match="its worker is gone"):
        first(None)
    assert same(reuse.prove(fib(2, 3), prover), fib(2, 3))


def test_a_batch_that_was_refused_holds_nobody_up():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()

    def refuse(part):
        raise JobFailed("b1", "busy")

    with pytest.raises(JobFailed):
        reuse.start(fib(2), refuse)
    assert same(reuse.prove(fib(2), prover), fib(2))


def test_a_batch_that_nobody_waits_for_is_forgotten():
    reuse, prover = Reuse(TraceCache(LIMIT)), Prover()
    reuse.start(fib(2), failing)
    assert same(reuse.prove(fib(2), prover), fib(2)) and prover.rows == [2]


def test_waiting_ends_in_time():
    reuse = Reuse(TraceCache(LIMIT))

    def never(part):
        def wait(timeout):
            raise WaitTimeout("b1", "RUNNING", timeout)

        return wait

    first = reuse.start(fib(2), never)
    second = reuse.start(fib(2, 3), lambda part: lambda timeout: trace.prove(part, LIMIT))
    for wait in (first, second):
        with pytest.raises(WaitTimeout):
            wait(0.01)
    with pytest.raises(WaitTimeout):
        Flight(Keyer().keys(fib(2))).lands(0.01)


def test_what_was_lent_in_vain_is_handed_in_once_however_often_it_is_asked_for():
    reuse, handed_in = Reuse(TraceCache(LIMIT)), []

    def slow(part):
        handed_in.append(part)

        def wait(timeout):
            if timeout is not None:
                raise WaitTimeout("b2", "RUNNING", timeout)
            return trace.prove(part, LIMIT)

        return wait

    lender = reuse.start(fib(2, 3), failing)
    borrower = reuse.start(fib(2, 3), slow)
    for _ in range(3):
        with pytest.raises(WaitTimeout):
            borrower(0.01)
    assert len(handed_in) == 1
    assert same(borrower(None), fib(2, 3)) and len(handed_in) == 1
    with pytest.raises(JobFailed):
        lender(None)


def test_a_wait_without_an_end_may_be_said_in_numbers():
    reuse = Reuse(TraceCache(LIMIT))
    wait = reuse.start(fib(2), lambda part: lambda timeout: trace.prove(part, LIMIT))
    assert same(wait(math.inf), fib(2))


def test_who_changes_what_it_got_changes_nothing_of_others():
    reuse = Reuse(TraceCache(LIMIT))
    done = reuse.start(fib(2), lambda part: lambda timeout: trace.prove(part, LIMIT))(None)
    with pytest.raises(ValueError, match="read-only"):
        done.outputs[0] = 0


class Script(Worth):
    """Chooses as it is told, and keeps what it learns."""

    def __init__(self, uses):
        made = Worth.of_memory()
        super().__init__(made.look, made.keep)
        self.uses, self.settled = list(uses), []

    def choose(self, rows, proofs_s):
        self.cost = proofs_s
        return self.uses.pop(0)

    def settle(self, use, looked, hits, saved_s, spent_s):
        self.settled.append((looked, hits, round(saved_s, 6)))


def test_a_sample_is_looked_up_and_everything_proved():
    worth = Script([Use.SAMPLE, Use.SAMPLE, Use.NONE, Use.ALL])
    reuse = Reuse(
        TraceCache(LIMIT), worth, lambda program, rows, steps: 1e-3 * steps, clock=lambda: 0.0
    )
    prover, batch = Prover(), fib(2, 3, 3)
    for _ in range(3):
        assert same(reuse.prove(batch, prover), batch)
    assert [asked is batch for asked in prover.asked] == [True] * 3
    # One of three was equal; then all were held, though they were proved.
    assert worth.settled == [(3, 1, 0), (3, 3, 0)]
    assert same(reuse.prove(fib(2, 6), prover), fib(2, 6))
    assert worth.cost == pytest.approx(12e-3)
    assert worth.settled[2] == (2, 1, 4e-3)
    assert reuse.stats().saved_s == pytest.approx(4e-3)


def test_a_large_batch_is_sampled_only():
    worth = Script([Use.SAMPLE])
    reuse = Reuse(TraceCache(LIMIT), worth, lambda *_: 1.0)
    batch = read_inputs("fib.v0", 5, np.arange(20_000).reshape(-1, 2))
    reuse.prove(batch, lambda inputs: trace.prove(inputs, LIMIT))
    assert 0 < worth.settled[0][0] < 1000
    assert reuse.stats().held == worth.settled[0][0]
