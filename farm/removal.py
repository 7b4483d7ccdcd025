"""Remove what is kept of a job or a batch that has ended; its blobs go with a sweep after that."""

import msgspec

from farm import keys, parcels
from farm.blobs import ScratchStore
from farm.errors import BadInput, JobOpen
from farm.job import JobView
from farm.ledger import Ledger
from farm.remains import Remains, own_name


def job(ledger: Ledger, id: str) -> None:
    """Remove a job with its answer and its session's inner life.

    Other jobs keep what they were given; the next equal one is proved anew. Raises UnknownJob,
    JobOpen while it has not ended, BadInput while another that is still to run relies on it.
    """
    view = ledger.status(id)
    if not view.state.ended:
        raise JobOpen(id, view.state.lower())
    remains = Remains(ledger.client, ledger.where)
    used = remains.calls([("HGET", keys.job(id), "used")])[0] or ""
    if id in remains.relied():
        raise _relied(id)
    # What has ended stays so, so that these need not happen at once; the job is the last to go,
    # for a removal that was broken off to be done again.
    _answer(remains, view)
    # Another job's session, which it shared or was answered from, is left to that one.
    if view.session.endswith(f".{id}"):
        remains.drop_session(view.session)
    if not remains.drop_job(id, own_name(msgspec.json.encode(view.spec).decode()), used):
        raise _relied(id)


def batch(ledger: Ledger, scratch: ScratchStore, id: str) -> None:
    """Remove a batch with its data; raises UnknownJob, JobOpen while it has not ended."""
    view = ledger.trace_view(id)
    if not view.state.ended:
        raise JobOpen(id, view.state.lower())
    parcels.clear(view, ledger, scratch)
    ledger.trace_forget(id)


def _relied(id: str) -> BadInput:
    text = "another one relies on its receipt and has still to run; wait for that or cancel it"
    return BadInput(f"job {id}: {text}")


def _answer(remains: Remains, view: JobView) -> None:
    key = remains.calls([("HGET", keys.job(view.id), "key")])[0]
    if key and view.receipt:
        found = remains.calls([("HMGET", keys.answer(key), "receipt", "used")])[0]
        receipt, used = (value or "" for value in found)
        if receipt == view.receipt:
            remains.drop_answer(key, receipt, used)
