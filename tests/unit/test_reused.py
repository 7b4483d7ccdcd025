"""The caches before a farm: batches come back whole, and only what is missing is handed in."""

import asyncio

import pytest

from farm import reused as module
from farm import settings as config
from farm import trace
from farm.aio import AsyncBatch
from farm.columns import Inputs, Outputs
from farm.cost import CostModel
from farm.errors import Busy, JobAborted, JobFailed, LedgerDown, StoreFailed, WaitTimeout
from farm.job import BatchView, State
from farm.pace import ENOUGH
from farm.reused import Price, Reused
from farm.terms import Features, trace_name
from farm.witness import read_inputs
from farm.worth import Use

LIMIT = 1 << 20


class Made:
    """A batch that was handed in, and is proved when it is waited for, unless it is not `ready`."""

    def __init__(self, inputs: Inputs):
        self.inputs, self.id, self.told = inputs, f"b{len(inputs)}", None
        self.ready, self.error, self.cancelled = True, None, False

    def wait(self, timeout=None, progress=None) -> Outputs:
        self.told = progress
        if self.cancelled:
            raise JobAborted(self.id, "by request")
        if self.error:
            raise self.error
        if not self.ready:
            raise WaitTimeout(self.id, "RUNNING", timeout)
        return trace.prove(self.inputs, LIMIT)

    def status(self) -> BatchView:
        return BatchView(id=self.id, state=State.RUNNING, program="fib.v0", count=9, chunks=3)

    def cancel(self) -> bool:
        first, self.cancelled = not self.cancelled, True
        return first


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


@pytest.mark.parametrize("use", [Use.NONE, Use.SAMPLE])
def test_a_batch_of_which_nothing_is_taken_is_the_farms_own(make, send, sent, use):
    inputs, reused = fib(3), make(uses=[use])
    assert reused.submit(inputs, send) is sent[0] and sent[0].inputs is inputs


def test_only_what_is_missing_is_handed_in(make, send, sent):
    reused = make(uses=[Use.ALL] * 3)
    first, second = fib(3, 4), fib(4, 5, 0, 3)
    reused.submit(first, send).wait()
    batch, heard = reused.submit(second, send), []
    assert [made.inputs.rounds.tolist() for made in sent] == [[3, 4], [5, 0]]
    assert (batch.id, len(batch), batch.inputs) == ("b2", 4, second)
    done = batch.wait(progress=heard.append)
    assert done.pack("") == trace.prove(second, LIMIT).pack("") and sent[1].told == heard.append
    proofs = list(batch)
    assert [row.output for row in proofs if not isinstance(row, Exception)] == [3, 5, 2]
    assert "item 2: " in str(proofs[2])
    assert batch.verify() == 3
    near, _ = reused.stats()
    assert (near.hits, near.misses) == (2, 4)


def state(batch) -> tuple[State, int, int]:
    view = batch.status()
    return view.state, view.count, view.chunks


def test_a_batch_runs_until_all_it_has_asked_for_is_here(make, send, sent):
    batch = make(uses=[Use.ALL]).submit(fib(3, 4, 4), send)
    sent[0].ready = False
    assert state(batch) == (State.RUNNING, 3, 3)
    sent[0].ready = True
    assert batch.status().state is State.SUCCEEDED
    assert not batch.cancel() and batch.status().state is State.SUCCEEDED
    assert batch.wait().steps.tolist() == [5, 6, 6]


def test_a_batch_of_which_nothing_is_missing_has_succeeded(make, send, sent):
    reused = make(uses=[Use.ALL] * 2)
    reused.submit(fib(3, 4), send).wait()
    batch = reused.submit(fib(4, 3), send)
    assert (batch.id, batch.status().state, len(sent)) == ("", State.SUCCEEDED, 1)
    assert not batch.cancel()
    assert next(batch.chunks()).steps.tolist() == [6, 5]


@pytest.fixture
def borrowed(make, send, sent):
    """Two batches, of which the second has nothing of its own, and what makes more."""
    reused = make(uses=[Use.ALL] * 4)
    lender = reused.submit(fib(3, 4), send)
    sent[0].ready = False
    return lender, reused.submit(fib(4, 3, 4), send), reused


def test_a_batch_that_borrows_runs_until_the_other_has_landed(borrowed, sent):
    lender, borrower, _ = borrowed
    assert state(borrower) == (State.RUNNING, 3, 0) and borrower.id == ""
    sent[0].ready = True
    assert borrower.status().state is State.SUCCEEDED and len(sent) == 1
    assert borrower.wait().steps.tolist() == [6, 5, 6]
    assert lender.wait().steps.tolist() == [5, 6]


def test_a_batch_that_borrows_can_be_cancelled(borrowed, sent):
    lender, borrower, _ = borrowed
    assert borrower.cancel() and not borrower.cancel()
    view = borrower.status()
    assert (view.state, view.code, view.count) == (State.ABORTED, "JobAborted", 3)
    for _ in range(2):
        with pytest.raises(JobAborted, match="was cancelled: by request"):
            borrower.wait()
    sent[0].ready = True
    assert borrower.status().state is State.ABORTED
    assert lender.wait().steps.tolist() == [5, 6] and len(sent) == 1


def test_a_batch_that_is_cancelled_lends_nothing_and_its_borrowers_ask_again(borrowed, send, sent):
    lender, borrower, reused = borrowed
    assert lender.cancel() and sent[0].cancelled
    assert lender.status().state is State.ABORTED
    with pytest.raises(JobAborted, match="job b2 was cancelled: by request"):
        lender.wait()
    third = reused.submit(fib(3), send)
    assert [made.inputs.rounds.tolist() for made in sent[1:]] == [[3]]
    assert borrower.wait().steps.tolist() == [6, 5, 6] and borrower.id == "b2"
    assert third.wait().steps.tolist() == [5]


def test_a_cancelled_batch_asks_for_nothing_again(borrowed, sent):
    lender, borrower, _ = borrowed
    assert borrower.cancel() and lender.cancel()
    with pytest.raises(JobAborted):
        borrower.wait()
    assert len(sent) == 1


def test_what_is_handed_in_while_a_batch_is_cancelled_is_cancelled_too(borrowed, send, sent):
    lender, borrower, _ = borrowed
    assert lender.cancel()

    def late(inputs):
        assert borrower.cancel()
        return send(inputs)

    borrower._send = late
    with pytest.raises(JobAborted):
        borrower.wait()
    assert len(sent) == 2 and sent[1].cancelled


def test_a_batch_that_failed_says_why_and_lends_nothing(borrowed, send, sent):
    lender, _, reused = borrowed
    sent[0].error = JobFailed("b2", "its worker is gone")
    view = lender.status()
    assert (view.state, str(view.error())) == (State.FAILED, str(sent[0].error))
    reused.submit(fib(3), send)
    assert len(sent) == 2


@pytest.mark.parametrize("error", [LedgerDown("there", "gone"), StoreFailed("scratch", "full")])
def test_a_farm_that_is_away_tells_nothing_of_a_batch(borrowed, sent, error):
    lender, sent[0].error = borrowed[0], error
    with pytest.raises(type(error)):
        lender.status()
    assert lender.cancel() and sent[0].cancelled


def test_a_busy_farm_is_asked_again(borrowed, send, sent):
    lender, borrower, _ = borrowed
    assert lender.cancel()

    def busy(inputs):
        raise Busy("what trace batches hold", "9 bytes", 1)

    borrower._send = busy
    assert borrower.status().state is State.RUNNING
    borrower._send = send
    assert borrower.status().state is State.SUCCEEDED


def test_the_child_of_a_fork_begins_anew(make, send, sent, monkeypatch):
    reused = make(uses=[Use.ALL] * 2)
    reused.submit(fib(3), send).wait()
    monkeypatch.setattr(module.os, "getpid", lambda: 0)
    assert reused.submit(fib(3), send) is sent[1]


def test_it_is_a_batch_for_asyncio_too(borrowed, sent):
    _, borrower, _ = borrowed

    async def main():
        batch = AsyncBatch(borrower)
        assert (await batch.status()).state is State.RUNNING
        sent[0].ready = True
        assert await batch.verify() == len(batch) == 3
        assert not await batch.cancel()
        return [proof.steps async for proof in batch], (await batch.wait()).steps.tolist()

    assert asyncio.run(main()) == ([6, 5, 6], [6, 5, 6])


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
    models[names[0]].count, models[names[1]].count = ENOUGH - 1, ENOUGH
    asked = []

    def ask():
        asked.append(1)
        return models

    price = Price(ask)
    expected = models[names[1]].predict(Features(rows=10, steps=1000))
    assert [price("fib.v0", 10, 1000) for _ in range(3)] == [expected] * 3
    assert len(asked) == 1
    assert price("sha256.v0", 10, 1000) == 0.0


def test_nothing_has_a_price_until_enough_was_observed(monkeypatch):
    name, now = trace_name("fib.v0", "kernel"), [100.0]
    models = {name: CostModel(name)}
    models[name].count = ENOUGH - 1
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    price = Price(lambda: models)
    assert price("fib.v0", 10, 1000) == 0.0
    models[name].count = ENOUGH
    assert price("fib.v0", 10, 1000) == 0.0
    now[0] += 2 * module.SOON
    assert price("fib.v0", 10, 1000) > 0.0


def test_nothing_has_a_price_while_the_ledger_is_away():
    def away():
        raise LedgerDown("there", "gone")

    price = Price(away)
    assert price("fib.v0", 1, 1) == 0.0
    price._until = 0.0
    assert price("fib.v0", 1, 1) == 0.0
