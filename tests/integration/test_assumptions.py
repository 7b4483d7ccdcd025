"""The running scheduler and what guests rely on: nothing of it is lost with a scheduler."""

import pytest
from hands import ended, hexed, kinds, spec, submit, until

from farm import keys
from farm.errors import CycleLimitReached
from farm.job import State

pytestmark = pytest.mark.redis

HASHED = {"keccak:0-1", "keccak:1-2", "union:0-2"}
JOINED = {"execute", "prove:0-1", "prove:1-2", "join:0-2"}


def test_receipts_and_hashes_are_resolved_one_after_another(ledger, blobs, hands, start):
    hands.hashes = True
    start()
    given = blobs.put(b"a receipt")
    id = submit(ledger, spec(blobs, assumptions=[given]))
    view = ended(ledger, id)
    assert set(kinds(hands)) == JOINED | HASHED | {"resolve:0-1", "resolve:1-2"}
    assert len(hands.seen) == len(set(kinds(hands)))
    first, second = (one for one in hands.seen if one.kind == "resolve")
    assert first.inputs[1] == given
    assert second.args["claim"] == hexed("all hashed")
    (last,) = [one for one in ledger.changes(id) if one.keccaks_proved][-1:]
    assert (last.keccaks, last.folds, last.folds_due) == (2, 4, 4)
    assert blobs.has(view.receipt)


@pytest.mark.parametrize("step", ["keccak:0-1", "union:0-2", "resolve:0-1"])
def test_a_new_scheduler_goes_on_from_there(ledger, book, blobs, hands, start, step):
    book.release()
    hands.hashes = True
    hands.whims[step] = hands.ignore
    first = start()
    id = submit(ledger, spec(blobs))
    until(lambda: step in kinds(hands))
    first.end()
    bound = set(book.read("HGETALL", keys.nodes(ledger.status(id).session)))
    before = len(hands.seen)
    start()
    ended(ledger, id)
    assert bound.isdisjoint(kinds(hands)[before:]), "what is bound is not done again"


def test_cancelling_drops_it(ledger, book, blobs, hands, start):
    book.release()
    hands.hashes = True
    hands.whims |= dict.fromkeys(["union:0-2", "join:0-2"], hands.ignore)
    start()
    id = submit(ledger, spec(blobs))
    until(lambda: {"union:0-2", "join:0-2"} <= set(kinds(hands)))
    assert ledger.cancel(id)
    until(lambda: not book.read("EXISTS", keys.SESSIONS))
    assert ledger.status(id).state is State.ABORTED


def test_a_job_waits_for_another_and_is_given_its_receipt(ledger, blobs, hands, start):
    held = []
    hands.whims["prove:0-1"] = held.append
    start()
    first = submit(ledger, spec(blobs))
    second = submit(ledger, spec(blobs, image_id="22" * 32, assumptions=[first]))
    until(lambda: held)
    assert kinds(hands).count("execute") == 1
    hands.do(held[0])
    ended(ledger, second)
    late = [one for one in hands.seen if one.kind == "execute"][-1]
    assert late.inputs[2:] == [ledger.status(first).receipt]


def test_one_that_comes_late_is_given_the_receipt_at_once(ledger, blobs, hands, start):
    start()
    first = submit(ledger, spec(blobs))
    ended(ledger, first)
    ended(ledger, submit(ledger, spec(blobs, image_id="22" * 32, assumptions=[first])))
    assert "resolve:0-1" in kinds(hands)


@pytest.mark.parametrize("other", ["j000000000000", "fails", "of another tenant"])
def test_a_job_fails_with_the_one_that_it_relies_on(ledger, steps, blobs, hands, start, other):
    def fail(message):
        hands.lease(message)
        steps.failed(message.session, "execute", message.attempt, CycleLimitReached(9))

    start()
    if other == "fails":
        hands.whims["execute"] = fail
        other = submit(ledger, spec(blobs))
    elif other != "j000000000000":
        other = submit(ledger, spec(blobs, namespace="theirs"))
        ended(ledger, other)
    id = submit(ledger, spec(blobs, image_id="22" * 32, assumptions=[other]))
    until(lambda: ledger.status(id).state.ended)
    assert ledger.status(id).code == "AssumptionMissing"
    assert f"job {other}" in str(ledger.status(id).error())
