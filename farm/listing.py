"""List jobs and trace batches, newest first, with how far each of them is."""

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from farm import keys, polls, show
from farm.errors import UnknownJob
from farm.job import BatchView, Change, JobView, State
from farm.ledger import Ledger

#: Most open jobs that are older than the newest ones, and most batches, that are looked at.
MOST = 1000


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list; times are unix seconds."""

    id: str
    #: The job's kind, or "batch".
    kind: str
    state: State
    #: How far it is, in words, or why it ended without an answer.
    text: str
    #: 0 for not known; of what still runs, those found so far.
    segments: int
    created: float
    finished: float
    #: Whose it is: its namespace.
    tenant: str
    #: Class of the error, "" for none.
    code: str


def listed(ledger: Ledger, states: Collection[State] = (), limit: int = 20) -> list[Listed]:
    """Return the newest jobs and batches in one of these states (none: in any), newest first."""

    views: list[JobView | BatchView] = [*_jobs(ledger), *_batches(ledger)]
    found = [view for view in views if not states or view.state in states]
    found.sort(key=lambda view: view.created, reverse=True)
    return [
        _job(ledger, view) if isinstance(view, JobView) else _batch(view) for view in found[:limit]
    ]


def _jobs(ledger: Ledger) -> Iterator[JobView]:
    """Yield the newest jobs, and those older ones that are open."""
    seen = set()
    for view in ledger.jobs(keys.RECENT):
        seen.add(view.id)
        yield view
    older = set(_read(ledger, "SMEMBERS", keys.OPEN)) - seen
    for id in sorted(older)[:MOST]:
        # Somebody else's, or gone since.
        with contextlib.suppress(UnknownJob):
            yield ledger.status(id)


def _batches(ledger: Ledger) -> Iterator[BatchView]:
    """Yield the batches that run, and those whose results are not fetched yet."""
    held = (holder.split()[0] for holder in _read(ledger, "ZRANGE", keys.HOLDERS, 0, -1))
    for id in sorted({*_read(ledger, "SMEMBERS", keys.BATCHES), *held})[:MOST]:
        with contextlib.suppress(UnknownJob):
            yield ledger.trace_view(id)


def _job(ledger: Ledger, view: JobView) -> Listed:
    error = view.error()
    last = None if view.state.ended else _last(ledger, view.id)
    segments = last.segments if last else int(str(view.stats.get("segments", 0)))
    text = str(error) if error else show.text(last) if last else view.state.lower()
    return Listed(
        id=view.id,
        kind=view.spec.kind,
        state=view.state,
        text=text,
        segments=segments,
        created=view.created,
        finished=view.finished,
        tenant=view.spec.namespace,
        code=view.code,
    )


def _batch(view: BatchView) -> Listed:
    error = view.error()
    done = f"{view.done} of {view.chunks} chunks, {view.count:,} x {view.program}"
    return Listed(
        id=view.id,
        kind="batch",
        state=view.state,
        text=str(error) if error else done,
        segments=0,
        created=view.created,
        finished=view.finished,
        tenant=view.namespace,
        code=view.code,
    )


def _last(ledger: Ledger, id: str) -> Change | None:
    return polls.last(_read(ledger, "XREVRANGE", keys.changes(id), "+", "-", "COUNT", 1))


def _read(ledger: Ledger, *command: object) -> list[Any]:
    return list(ledger.calls([command])[0])
