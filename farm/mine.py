"""List one tenant's jobs, newest first, a page at a time, and find those that have what is said."""

from collections.abc import Mapping
from typing import NamedTuple

from farm import keys
from farm.errors import BadInput
from farm.job import JobView, State
from farm.ledger import Ledger
from farm.polls import Seen, look

#: Jobs that are read in one go, and most that are looked through for one page.
TOGETHER, MOST = 200, 2_000


class Wanted(NamedTuple):
    """What a job has to have; what is empty does not matter."""

    state: State | None = None
    mode: str = ""
    image_id: str = ""
    #: Of a label whose value is None, any will do.
    labels: Mapping[str, str | None] = {}

    def has(self, view: JobView) -> bool:
        """Return whether a job has all of it."""
        spec = view.spec
        return (
            self.state in (None, view.state)
            and self.mode in ("", spec.kind)
            and self.image_id in ("", spec.image_id)
            and all(
                label in spec.labels and value in (None, spec.labels[label])
                for label, value in self.labels.items()
            )
        )


class Page(NamedTuple):
    """Jobs, and where to go on from: "" once all have been looked at."""

    jobs: list[JobView]
    next: str


def labels(given: str) -> dict[str, str | None]:
    """Return labels that are written "name=value,name"."""
    parts = [one.partition("=") for one in given.split(",") if one]
    return {label: value if equals else None for label, equals, value in parts}


def jobs(ledger: Ledger, namespace: str, wanted: Wanted, after: str, limit: int) -> Page:
    """Return the next `limit` jobs that are wanted, after those of the page that ended at `after`.

    A page has fewer where many were looked through in vain. Raises BadInput for an `after` that
    no page has ended at.
    """
    found: list[JobView] = []
    at = _rank(ledger, namespace, after)
    for start in range(at, at + MOST, TOGETHER):
        ids = ledger.calls([("ZREVRANGE", keys.mine(namespace), start, start + TOGETHER - 1)])[0]
        seen = look(ledger, [(namespace, id) for id in ids])
        for id, one in zip(ids, seen, strict=True):
            if isinstance(one, Seen) and wanted.has(one.view):
                found.append(one.view)
                if len(found) == limit:
                    return Page(found, id)
        if len(ids) < TOGETHER:
            return Page(found, "")
    return Page(found, ids[-1])


def _rank(ledger: Ledger, namespace: str, after: str) -> int:
    if not after:
        return 0
    rank = ledger.calls([("ZREVRANK", keys.mine(namespace), after)])[0]
    if rank is None:
        raise BadInput(f"after: no page of this list has ended at {after!r}")
    return int(rank) + 1
