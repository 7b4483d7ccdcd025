"""Jobs that are only executed, through a real ledger and scheduler: their ends, their answers."""

import pytest
from hands import ended, kinds, spec, submit, until

from farm import played
from farm.errors import GuestPanicked
from farm.execution import of_stats, written

pytestmark = pytest.mark.redis


def unproved(blobs, kind, **given):
    return spec(blobs, kind=kind, receipt=kind, **given)


def test_an_execution_succeeds_with_its_journal_and_cycles(ledger, blobs, hands, start):
    start()
    view = ended(ledger, submit(ledger, unproved(blobs, "execute")))
    assert kinds(hands) == ["execute"]
    assert (blobs.get(view.journal), view.receipt) == (b"journal", view.journal)
    found = of_stats(view.spec.image_id, b"journal", view.stats)
    assert (found.segments, found.cycles, found.user_exit) == (2, {"total": 7}, 0)


def test_a_trace_succeeds_with_a_commitment(ledger, blobs, hands, start):
    start()
    asked = unproved(blobs, "trace")
    view = ended(ledger, submit(ledger, asked))
    says, journal = played.read(blobs.get(view.receipt), asked.image_id)
    assert (says.input, journal) == (asked.input.partition("-")[0], b"journal")
    assert kinds(hands) == ["execute"]


def test_an_equal_one_is_answered_and_one_of_another_kind_never(ledger, blobs, hands, start):
    start()
    receipts = {}
    for kind in ("execute", "trace", "risc0"):
        receipt = {} if kind == "risc0" else {"receipt": kind}
        first = ended(ledger, submit(ledger, spec(blobs, kind=kind, **receipt)))
        before = len(hands.seen)
        again = ended(ledger, submit(ledger, spec(blobs, kind=kind, **receipt)))
        assert (again.receipt, again.stats) == (first.receipt, first.stats)
        assert len(hands.seen) == before
        receipts[kind] = first.receipt
    assert len({*receipts.values()}) == 3
    assert kinds(hands).count("execute") == 3


def test_where_a_guest_wrote_is_known_once_it_has_ended(ledger, steps, blobs, hands, start):
    start()
    asked = spec(blobs)
    hands.whims["prove:0-1"] = hands.ignore
    job = submit(ledger, asked)
    session = ledger.status(job).session
    record = until(lambda: ledger.executed(session))
    assert (record.stdout, record.stderr) == ("", "")
    assert ledger.executed("no such session") is None
    assert not ledger.status(job).state.ended


def test_where_a_guest_wrote_goes_with_its_failure(ledger, steps, blobs, hands, start):
    def fail(message):
        hands.lease(message)
        error = GuestPanicked("why").keeping(["out", "err"])
        steps.failed(message.session, message.step, message.attempt, error)

    start()
    hands.whims["execute"] = fail
    job = submit(ledger, unproved(blobs, "execute"))
    view = until(lambda: (view := ledger.status(job)).state.ended and view)
    assert view.error().written == ("out", "err")
    assert written(view.stats) is None
