"""What is asked for in the middle of a sweep or a removal stays, although it was past its time."""

import pytest
from hands import ended, spec
from sweeping import DAY, let_pass, make_old

from farm import keys, removal
from farm.errors import BadInput
from farm.remains import Remains

pytestmark = pytest.mark.redis


@pytest.mark.parametrize(("days", "function"), [(11, "release_job"), (31, "drop_job")])
def test_the_receipt_that_a_job_comes_to_rely_on_in_the_middle_of_a_sweep_stays(
    ledger, blobs, done, remains, store, sweep, monkeypatch, days, function
):
    let_pass(ledger, keys.job(done.id), "finished", days * DAY)
    let_pass(ledger, keys.answer(ledger.client.hget(keys.job(done.id), "key")), "used", days * DAY)
    let_pass(ledger, keys.session(done.session), "closed", days * DAY)
    relies = spec(blobs, image_id="ab" * 32, assumptions=[done.id])
    make_old(store)
    drop = getattr(remains, function)

    def late(*given):
        ledger.submit(relies, present=blobs.has)
        return drop(*given)

    monkeypatch.setattr(remains, function, late)
    assert sweep().jobs == 0
    assert ledger.status(done.id).receipt == done.receipt
    assert blobs.has(done.receipt) and blobs.has(ledger.status(done.id).spec.program)
    assert ended(ledger, relies.id).receipt
    # It was asked for: it is as young as one that has just ended.
    monkeypatch.undo()
    sweep()
    assert blobs.has(ledger.status(done.id).receipt)


def test_a_job_that_another_comes_to_rely_on_as_it_is_removed_stays(
    ledger, blobs, done, monkeypatch
):
    relies, relied = spec(blobs, image_id="ab" * 32, assumptions=[done.id]), Remains.relied

    def late(remains):
        found = relied(remains)
        ledger.submit(relies, present=blobs.has)
        return found

    monkeypatch.setattr(Remains, "relied", late)
    with pytest.raises(BadInput, match="has still to run"):
        removal.job(ledger, done.id)
    assert ledger.status(done.id).receipt == done.receipt


def test_an_answer_that_is_given_in_the_middle_of_a_sweep_stays(
    ledger, blobs, done, remains, store, sweep
):
    key = ledger.client.hget(keys.job(done.id), "key")
    let_pass(ledger, keys.answer(key), "used", 11 * DAY)
    let_pass(ledger, keys.job(done.id), "finished", 11 * DAY)
    make_old(store)
    drop, found = remains.drop_answer, []

    def late(name, receipt, used):
        found.append(ledger.submit(spec(blobs), present=blobs.has))
        return drop(name, receipt, used)

    remains.drop_answer = late
    assert sweep().answers == 0
    assert found[0].answered
    assert blobs.has(ledger.status(found[0].job).receipt)
