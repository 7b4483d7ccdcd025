"""The caches before a farm: batches come back whole, and only what is missing is handed in."""

import pytest

from farm import reused as module
from farm import settings as config
from farm import trace
from farm.columns import Inputs, Outputs
from farm.cost import CostModel
from farm.errors import LedgerDown
from farm.job import BatchView, State
from farm.reused import Price, Reused
from farm.terms import Features, trace_name
from farm.witness import read_inputs
from farm.worth import Use

LIMIT = 1 << 20


class Made:
    """A batch that was handed in, and is proved when it is waited for."""

    def __init__(self, inputs: Inputs):
        self.inputs, self.id, self.told = inputs, f"b{len(inputs)}", None
        self.cancelled = False

    def wait(self, timeout=None, progress=None) -> Outputs:
        self.told = progress
        return trace.prove(self.inputs, LIMIT)

    def status(self) -> BatchView:
        return BatchView(id=self.id, state=State.RUNNING, program="fib.v0", count=9, chunks=1)

    def cancel(self) -> bool:
        self.cancelled = True
        return True


@pytest.fixture
def sent():
    return []


@pytest.fixture
def send(sent):
    def hand_in(inputs: Inputs) -> Made:
        sent.append(Made(inputs))
        return sent[-1]

    return hand_in


@pytest.fixture
def make(tmp_path):
    made = []

    def reused(uses=()):
        settings = config.load(state=tmp_path)
        made.append(Reused(settings, f"unix://{tmp_path}/none", dict))
        todo = list(uses)
        made[-1]._near.worth.choose = lambda rows, cost: todo.pop(0) if todo else Use.NONE
        return made[-1]

    yield reused
    for one in made:
        one.close()


def fib(*rounds: int) -> Inputs:
    return read_inputs("fib.v0", list(rounds))


def test_a_batch_that_is_not_looked_up_is_the_farms_own(make, send, sent):
    inputs = fib(3)
    assert make().submit(inputs, send) is sent[0] and sent[0].inputs is inputs


def test_only_what_is_missing_is_handed_in(make, send, sent):
    reused = make(uses=[Use.ALL] * 3)
    first, second = fib(3, 4), fib(4, 5, 0, 3)
    reused.submit(first, send).wait()
    batch, heard = reused.submit(second, send), []
    assert [made.inputs.rounds.tolist() for made in sent] == [[3, 4], [5, 0]]
    assert (batch.id, len(batch), batch.inputs) == ("b2", 4, second)
    assert batch.status().state is State.RUNNING
    done = batch.wait(progress=heard.append)
    assert done.pack("") == trace.prove(second, LIMIT).pack("") and sent[1].told == heard.append
    assert [row.output for row in batch if not isinstance(row, Exception)] == [3, 5, 2]
    assert batch.verify() == 3
    assert batch.cancel() and sent[1].cancelled
    near, _ = reused.stats()
    assert (near.hits, near.misses) == (2, 4)


def test_a_batch_of_which_nothing_is_missing_has_succeeded(make, send, sent):
    reused = make(uses=[Use.ALL] * 2)
    reused.submit(fib(3, 4), send).wait()
    batch = reused.submit(fib(4, 3), send)
    assert (batch.id, batch.status().state, len(sent)) == ("", State.SUCCEEDED, 1)
    assert not batch.cancel()
    assert next(batch.chunks()).steps.tolist() == [6, 5]


def test_a_shared_store_that_is_away_changes_nothing(make, send, sent):
    reused = make()
    reused._far.worth.choose = lambda rows, cost: Use.ALL
    for _ in range(2):
        done = reused.submit(fib(3, 4), send).wait()
        assert done.pack("") == trace.prove(fib(3, 4), LIMIT).pack("")
    assert len(sent) == 2


def test_the_price_is_what_the_farm_has_learned(monkeypatch):
    names = [trace_name("fib.v0", backend) for backend in ("kernel", "numpy")]
    models = {name: CostModel(name) for name in names}
    models[names[1]].count = 5
    asked = []

    def ask():
        asked.append(1)
        return models

    price = Price(ask)
    expected = models[names[1]].predict(Features(rows=10, steps=1000))
    assert [price("fib.v0", 10, 1000) for _ in range(3)] == [expected] * 3
    assert len(asked) == 1
    assert price("sha256.v0", 10, 1000) == 0.0


def test_nothing_has_a_price_while_the_ledger_is_away(monkeypatch):
    def away():
        raise LedgerDown("there", "gone")

    price = Price(away)
    assert price("fib.v0", 1, 1) == 0.0
    monkeypatch.setattr(module, "FRESH", 0.0)
    price._until = 0.0
    assert price("fib.v0", 1, 1) == 0.0
