"""Batches are cut by what was learned of their costs; until then, by a guess."""

import numpy as np
import pytest

from farm import parcels, witness
from farm.cost import CostModel
from farm.errors import LedgerDown
from farm.pace import ENOUGH, KNOWN_SECONDS, LOOK_SECONDS, SLACK, Pace
from farm.session import Slot
from farm.terms import Features, trace_name


def slot(number, kind="trace"):
    return Slot(
        name=f"{kind}-m-{number}",
        kind=kind,
        machine="m",
        cores=[number],
        lanes=1,
        incarnation="i",
        pid=1,
        host="",
    )


def model(seconds_a_step, backend="kernel", count=3 * ENOUGH):
    learned = CostModel(trace_name("fib.v0", backend))
    for number in range(count):
        rows = 1000 + 100 * (number % 7)
        steps = rows * (20 + number % 50)
        learned.observe(Features(rows=rows, steps=steps), steps * seconds_a_step)
    return learned


class Learned:
    """A ledger that has learned something, and counts who asks."""

    def __init__(self, *models, workers=2):
        self.known = {one.name: one for one in models}
        self.workers, self.asked, self.now, self.down = workers, 0, 0.0, False

    def slots(self):
        if self.down:
            raise LedgerDown("there", "gone")
        return [slot(0, "risc0"), *(slot(number) for number in range(self.workers))]

    def models(self):
        self.asked += 1
        return self.known

    def pace(self, latency=0.05):
        return Pace(self, latency, lambda: self.now)


def batch(rows, rounds=50):
    return witness.read_inputs("fib.v0", np.full(rows, rounds))


def test_until_something_is_learned_it_is_a_guess():
    few = model(1e-8, count=ENOUGH - 1)
    for ledger in (Learned(), Learned(few)):
        assert ledger.pace().limits(batch(10)) == parcels.sizes(0.05)


def test_a_chunk_takes_no_longer_than_it_should():
    rows, steps = Learned(model(1e-6)).pace(latency=0.05).limits(batch(100_000))
    assert 0.025 < rows * 52 * 1e-6 < 0.06
    assert steps == int(SLACK * rows * 52)


def test_faster_provers_get_larger_chunks_and_every_worker_has_one():
    slow, fast = (Learned(model(cost)).pace().limits(batch(65_536)).rows for cost in (1e-6, 1e-8))
    assert slow < fast == 65_536 // 2


def test_the_backend_that_works_here_is_the_one_that_counts():
    both = Learned(model(1e-6, "numpy", 2 * ENOUGH), model(1e-8, "kernel", 4 * ENOUGH))
    alone = Learned(model(1e-8, "kernel", 4 * ENOUGH))
    assert both.pace().limits(batch(50_000)) == alone.pace().limits(batch(50_000))


@pytest.mark.parametrize(
    ("models", "seconds"), [([], LOOK_SECONDS), ([model(1e-8)], KNOWN_SECONDS)]
)
def test_the_ledger_is_asked_now_and_then_only(models, seconds):
    ledger = Learned(*models)
    pace = ledger.pace()
    for ledger.now in (0, 0, seconds - 0.1):
        pace.limits(batch(10))
    assert ledger.asked == 1
    ledger.now = seconds
    pace.limits(batch(10))
    assert ledger.asked == 2


def test_a_ledger_that_is_away_leaves_what_is_known():
    ledger = Learned(model(1e-8))
    pace = ledger.pace()
    before = pace.limits(batch(65_536))
    ledger.down, ledger.now = True, KNOWN_SECONDS
    assert pace.limits(batch(65_536)) == before


def test_a_row_that_is_refused_does_not_cut_the_others_small():
    rounds = np.full(16_384, 100, "<u8")
    plain = Learned(model(1e-8)).pace().limits(witness.read_inputs("fib.v0", rounds))
    rounds[7] = 1 << 40
    spoiled = Learned(model(1e-8)).pace().limits(witness.read_inputs("fib.v0", rounds))
    assert spoiled.rows == plain.rows
    assert spoiled.steps > 0.99 * plain.steps


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_can_be_cut_too(rows):
    assert Learned(model(1e-8)).pace().limits(batch(rows)).rows >= 1
