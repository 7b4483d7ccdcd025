"""Guests that rely on other receipts, or on the keccak circuit: one receipt that needs no other."""

import pytest
from goldens import BLOBS, IMAGES, PO2, SESSIONS, receipt, stdin

from farm import Farm, errors
from farm.job import State

COMPOSE, FIBONACCI, PANIC = (BLOBS / f"{name}.bin" for name in ("compose", "fibonacci", "panic"))


@pytest.fixture(scope="module")
def farm(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        yield farm


def test_a_receipt_that_was_given_is_resolved(farm, verify_host):
    job = farm.submit(COMPOSE, stdin("compose"), po2=PO2, assumptions=[receipt("one")])
    proved = job.wait(60)
    # On its own: the small host has nothing else than these bytes.
    proved.verify(IMAGES["compose"], farm.settings.model_copy(update={"host": verify_host}))
    assert proved.bytes == receipt("compose")
    assert proved.journal == bytes.fromhex(IMAGES["fibonacci"]) + (55).to_bytes(8, "little")


def test_without_the_receipt_the_reason_is_told(farm):
    job = farm.submit(COMPOSE, stdin("unproven"), po2=PO2)
    with pytest.raises(errors.AssumptionMissing, match="claim digest"):
        job.wait(60)


def test_a_job_can_rely_on_one_that_runs(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        first = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        second = farm.submit(COMPOSE, stdin("compose"), po2=PO2, assumptions=[first])
        changes = []
        second.wait(60, changes.append).verify(IMAGES["compose"])
        assert first.status().state is State.SUCCEEDED
        texts = [change.text for change in changes]
        assert "resolving" in texts


def test_a_job_fails_with_the_one_that_it_relies_on(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        first = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        second = farm.submit(COMPOSE, stdin("compose"), po2=PO2, assumptions=[first])
        first.cancel()
        with pytest.raises(errors.AssumptionMissing, match=first.id):
            second.wait(60)


def test_hashes_by_the_keccak_circuit_are_proved_united_and_resolved(farm, verify_host):
    session = SESSIONS["keccak"]
    changes = []
    job = farm.submit(BLOBS / "keccak.bin", stdin("keccak"), po2=session["po2"])
    proved = job.wait(60, changes.append)
    proved.verify(IMAGES["keccak"], farm.settings.model_copy(update={"host": verify_host}))
    assert proved.bytes == receipt("keccak")
    last = [change for change in changes if change.keccaks_proved][-1]
    assert (last.keccaks, last.keccaks_proved, last.folds, last.folds_due) == (2, 2, 2, 2)
