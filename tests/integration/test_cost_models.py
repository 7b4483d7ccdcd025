"""Costs on their way through the ledger: workers tell, the scheduler learns, anyone can read."""

import json
import os
import subprocess
import sys

import msgspec
import pytest
from hands import spec, submit, until

from farm import Farm, keys
from farm.book import Book, StaleEpoch
from farm.claim import ZERO, Claim
from farm.steps import Steps
from farm.terms import Features, Observation, trace_name
from farm.wire import SegmentRecord

NAME = "trace/fib.v0/kernel"
ONE = Observation(NAME, 1e-4, Features(rows=1, steps=100))
pytestmark = pytest.mark.redis


def tell(ledger_url, *seen):
    """Each as another worker, so that each is told at once."""
    for one in seen:
        Steps.at(ledger_url).observe(lambda one=one: [one])


def learn(book):
    models = book.models()
    noted = book.observations()
    for one in noted:
        models.learn(one.fields["batch"])
    book.learned(noted[-1].id, models.changed())
    return models


def test_what_workers_tell_is_learned_once_and_can_be_read(ledger, book, ledger_url):
    tell(ledger_url, ONE, ONE)
    learned = learn(book)
    assert ledger.models() == {NAME: learned[NAME]}
    assert learned[NAME].count == 2
    assert book.observations() == []
    tell(ledger_url, ONE)
    assert learn(book)[NAME].count == 3


def test_what_is_told_meanwhile_is_kept(book, ledger_url):
    tell(ledger_url, ONE)
    (first,) = book.observations()
    tell(ledger_url, ONE)
    book.learned(first.id, {})
    assert len(book.observations()) == 1
    book.learned("", {})
    assert book.observations() == []


def test_a_scheduler_that_was_replaced_keeps_nothing(ledger, book, ledger_url):
    tell(ledger_url, ONE)
    book.release()
    assert Book.at(ledger_url).acquire("other", 60)
    with pytest.raises(StaleEpoch):
        book.learned("", {NAME: "{}"})
    assert ledger.models() == {}
    assert len(book.observations()) == 1


def test_the_stream_is_capped(steps, book):
    batch = json.dumps([])
    for _ in range(500):
        steps.call("observe", [keys.OBSERVATIONS], [200, batch])
    assert 200 <= book.read("XLEN", keys.OBSERVATIONS) < 400


def test_a_worker_whose_ledger_is_away_goes_on(tmp_path):
    Steps.at(f"unix://{tmp_path}/nobody").observe(lambda: [ONE])


def test_the_size_of_a_segment_is_read_from_its_record(steps, book, blobs, ledger):
    name = ledger.status(submit(ledger, spec(blobs))).session
    record = SegmentRecord("ab" * 32 + "-1", 18, Claim(ZERO, ZERO, ZERO, ZERO, 0, 0))
    book.read("HSET", keys.segments(name), 3, msgspec.json.encode(record))
    assert steps.proof_po2(name, "prove:3-4") == 18
    assert steps.proof_po2(name, "prove:4-5") == 0


BAD = ["nonsense", "[]", json.dumps([{"name": "x", "seconds": 1, "features": {}}]), "[" * 70_000]


def test_the_scheduler_learns_whatever_else_it_is_told(ledger, steps, book, ledger_url, start):
    for bad in BAD:
        steps.call("observe", [keys.OBSERVATIONS], [keys.OBSERVED, bad])
    book.read("XADD", keys.OBSERVATIONS, "*", "other", "field")
    tell(ledger_url, ONE)
    book.release()
    start()
    assert until(lambda: ledger.models().get(NAME)).count == 1
    tell(ledger_url, ONE)
    until(lambda: ledger.models()[NAME].count == 2)


def test_the_scheduler_outlives_what_is_no_text(ledger, book, ledger_url, start):
    book.read("XADD", keys.OBSERVATIONS, "*", "batch", b"\xff\xfe")
    book.release()
    running = start()
    until(lambda: not book.read("XLEN", keys.OBSERVATIONS))
    tell(ledger_url, ONE)
    assert until(lambda: ledger.models().get(NAME)).count == 1
    assert running.thread.is_alive()


def test_the_next_scheduler_goes_on_learning(ledger, book, ledger_url, start):
    tell(ledger_url, ONE)
    book.release()
    first = start()
    until(lambda: ledger.models().get(NAME))
    first.end()
    tell(ledger_url, ONE)
    start()
    until(lambda: ledger.models()[NAME].count == 2)


def test_what_a_real_worker_proves_is_learned(settings, ledger, book, start):
    given = {"FARM_LEDGER_URL": settings.ledger_url, "FARM_STATE": str(settings.state)}
    command = [sys.executable, "-m", "farm", "worker", "--kind", "trace", "--slot", "trace-test-0"]
    book.release()
    start()
    with (
        subprocess.Popen(command, env=os.environ | given) as worker,
        Farm(settings=settings) as farm,
    ):
        farm.submit_many("fib.v0", [20] * 20_000).wait(60)
        (model,) = until(ledger.models).values()
        worker.terminate()
    assert model.name == trace_name("fib.v0", model.name.rpartition("/")[2])
    assert model.count >= 1
    assert 0 < model.predict(Features(rows=20_000, steps=440_000)) < 10
