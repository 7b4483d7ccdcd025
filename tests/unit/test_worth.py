"""Whether a cache is used: by what it costs and gains, never at more than a small share."""

import random

import pytest

from farm import worth
from farm.worth import LOAN, MOST, SAMPLE, SHARE, Line, Use, Worth

ROWS = 10_000


def made() -> Worth:
    return Worth(Line(1e-5, 1e-7), Line(1e-5, 1e-7))


class World:
    """Batches of one size whose proofs cost so much, and a cache that finds so many of them."""

    def __init__(self, proof_s: float, hits: float, rows: int = ROWS):
        self.worth, self.proof_s, self.hits, self.rows = made(), proof_s, hits, rows
        self.proved = self.spent = self.saved = 0.0
        self.uses = []

    def run(self, batches: int = 1):
        for _ in range(batches):
            self.batch()
        return self

    def batch(self):
        cost, worth = self.rows * self.proof_s, self.worth
        use = worth.choose(self.rows, cost)
        self.uses.append(use)
        if use is Use.NONE:
            self.proved += cost
        elif use is Use.SAMPLE:
            looked = min(SAMPLE, self.rows)
            spent = worth.look(looked) + worth.keep(looked)
            worth.probe.observe(self.rows, spent)
            worth.earn(cost)
            worth.settle(use, looked, round(looked * self.hits), 0.0, spent)
            self.proved, self.spent = self.proved + cost, self.spent + spent
        else:
            hits = round(self.rows * self.hits)
            spent = worth.look(self.rows) + worth.keep(self.rows - hits)
            worth.earn(cost * (1 - self.hits))
            worth.settle(use, self.rows, hits, cost * self.hits, spent)
            self.proved += cost * (1 - self.hits)
            self.spent, self.saved = self.spent + spent, self.saved + cost * self.hits


def test_without_hits_it_costs_a_small_share_at_most():
    world = World(1e-6, hits=0.0).run(500)
    assert Use.SAMPLE in world.uses and Use.ALL not in world.uses
    assert world.spent <= LOAN + SHARE * world.proved


@pytest.mark.parametrize("hits", [0.5, 0.9, 1.0])
def test_with_hits_it_is_used_before_long(hits):
    world = World(2e-6, hits).run(60)
    assert world.uses[-1] is Use.ALL and world.uses.index(Use.ALL) < 10
    assert world.worth.rate == pytest.approx(hits, abs=0.05)


def test_it_is_left_alone_where_a_lookup_costs_more_than_it_saves():
    # A proof of 0.3 us against 0.2 us for looking it up and keeping it: half of them is too few.
    assert Use.ALL not in World(3e-7, hits=0.5).run(300).uses
    assert World(3e-7, hits=0.95).run(300).uses[-1] is Use.ALL


def test_it_is_left_again_when_the_hits_stop():
    world = World(2e-6, hits=0.9).run(60)
    world.hits = 0.0
    world.run(20)
    assert world.uses[-1] is not Use.ALL
    assert world.uses[60:].count(Use.ALL) < 15


def test_it_is_used_again_when_hits_come_back():
    world = World(2e-6, hits=0.0).run(200)
    world.hits = 0.9
    world.run(200)
    assert world.uses[-1] is Use.ALL


def test_hits_that_never_last_do_not_drain_it():
    world, dice = World(1e-6, hits=0.9), random.Random(1)
    for _ in range(200):
        world.hits = 0.9 if dice.random() < 0.1 else 0.0
        world.run(5)
    # However badly it guesses: what it lost is what it had put by, and once what it can put by.
    assert world.spent - world.saved <= LOAN + SHARE * world.proved + MOST


def test_a_batch_too_small_to_pay_is_never_looked_at():
    assert set(World(1e-6, hits=1.0, rows=5).run(1000).uses) == {Use.NONE}


def test_few_dear_proofs_are_looked_at():
    assert World(1e-2, hits=0.9, rows=2).run(100).uses[-1] is Use.ALL


def test_a_line_finds_what_it_is_shown():
    line, dice = Line(1.0, 1.0), random.Random(1)
    for _ in range(200):
        rows = dice.choice([1, 30, 500, 10_000])
        line.observe(rows, (2e-5 + 3e-8 * rows) * dice.uniform(0.95, 1.05))
    for rows in (1, 30, 500, 10_000):
        assert line(rows) == pytest.approx(2e-5 + 3e-8 * rows, rel=0.1)


def test_a_line_shown_one_size_moves_and_keeps_its_shape():
    line = Line(1e-5, 1e-7)
    for _ in range(300):
        line.observe(1000, 3e-4)
    assert line(1000) == pytest.approx(3e-4, rel=0.05)
    assert line.fixed >= 0 and line.each >= 0


@pytest.mark.parametrize("seen", [(0, 1.0), (5, 0.0), (5, -1.0)])
def test_a_line_learns_nothing_from_nothing(seen):
    line = Line(1e-5, 1e-7)
    line.observe(*seen)
    assert (line.fixed, line.each) == (1e-5, 1e-7)


def test_a_line_never_says_less_than_nothing():
    line, dice = Line(1e-5, 1e-7), random.Random(2)
    for _ in range(200):
        line.observe(dice.randint(1, 5000), dice.uniform(1e-6, 1e-2))
        assert line.fixed >= 0 and line.each >= 0 and line(1) > 0


def test_room_is_made_by_kind():
    assert (worth.capacity(100, "trace"), worth.capacity(100, "risc0")) == (150, 10_000)
