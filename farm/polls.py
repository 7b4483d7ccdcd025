"""Look at many jobs in one go: where each is, and what was heard of it last."""

import contextlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from farm import keys
from farm.errors import FarmError, JobFailed, UnknownJob
from farm.job import Change, JobView
from farm.ledger import Ledger, job_view, pairs


class Seen(NamedTuple):
    """A job as it is now, and the last of its changes, None once they are forgotten."""

    view: JobView
    last: Change | None


def look(ledger: Ledger, asked: Sequence[tuple[str, str]]) -> list[Seen | FarmError]:
    """Return for each namespace and id the job, or why it cannot be seen.

    That is UnknownJob, for another tenant's job too, or JobFailed for one that cannot be read.
    """
    commands: list[tuple[Any, ...]] = []
    for _, id in asked:
        commands.append(("HGETALL", keys.job(id)))
        commands.append(("XREVRANGE", keys.changes(id), "+", "-", "COUNT", 1))
    answers = ledger.calls(commands) if commands else []
    return [
        _seen(namespace, id, pairs(answers[2 * at]), answers[2 * at + 1])
        for at, (namespace, id) in enumerate(asked)
    ]


def last(found: Sequence[Any]) -> Change | None:
    """Return the change that is the first of what a stream was read for."""
    for entry, fields in found:
        with contextlib.suppress(ValueError):
            return msgspec.convert(pairs(fields) | {"id": entry}, Change, strict=False)
    return None


def _seen(
    namespace: str, id: str, fields: dict[str, str], found: Sequence[Any]
) -> Seen | FarmError:
    if not fields:
        return UnknownJob(id)
    try:
        view = job_view(id, fields)
    except ValueError as error:
        return JobFailed(id, f"it cannot be read: {error}")
    if view.spec.namespace != namespace:
        return UnknownJob(id)
    return Seen(view, None if view.state.ended else last(found))
