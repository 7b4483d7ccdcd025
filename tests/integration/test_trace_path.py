"""Trace proofs through a real broker and a real worker process; no scheduler is needed for it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from farm import Farm, trace_plain
from farm import settings as config
from farm.errors import BadTrace

pytestmark = pytest.mark.redis


@pytest.fixture
def settings(ledger_url, tmp_path):
    return config.load(ledger_url=ledger_url, state=tmp_path, beat_seconds=0.1)


@pytest.fixture
def worker(settings):
    given = {"FARM_LEDGER_URL": settings.ledger_url, "FARM_STATE": str(settings.state)}
    command = [sys.executable, "-m", "farm", "worker", "--kind", "trace", "--slot", "trace-test-0"]
    running = subprocess.Popen(command, env=os.environ | given | {"FARM_TRACE_ROUNDS_LIMIT": "500"})
    yield running
    running.terminate()
    assert running.wait(20) == 0


@pytest.fixture
def farm(settings):
    with Farm(settings=settings) as made:
        yield made


def test_a_batch_comes_back_in_order_and_leaves_nothing(farm, worker):
    witness = np.stack([np.arange(40_000), np.ones(40_000)], axis=1).astype("u8")
    batch = farm.submit_many("fib.v0", 20 + np.arange(40_000) % 50, witness)
    told = []
    done = batch.wait(timeout=60, progress=told.append)
    assert len(done) == len(batch) == 40_000
    assert batch.verify() == 40_000
    assert told[-1].state == "SUCCEEDED" and told[-1].done == 3
    assert list(farm.scratch._client.keys("farm:blob:*")) == []
    assert farm.ledger.client.keys("farm:batch:*") == []


def test_rows_that_cannot_be_proved_fail_alone(farm, worker):
    proofs = list(farm.submit_many("fib.v0", [10, 0, 501, 200]))
    assert proofs[0] == trace_plain.prove("fib.v0", 10, [0, 1])
    assert proofs[3] == trace_plain.prove("fib.v0", 200, [0, 1])
    assert all(isinstance(proof, BadTrace) for proof in proofs[1:3])


def test_messages_of_any_length_are_hashed(farm, worker):
    witness = [[], [1, 2, 3, 4], [5], list(range(100))]
    proofs = list(farm.submit_many("sha256.v0", witness=witness))
    assert proofs == [trace_plain.prove("sha256.v0", 0, words) for words in witness]
