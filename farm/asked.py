"""Say who is asked to be in a set, as far as a client can tell who cannot be.

The farm looks at the receipts themselves.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from farm import request
from farm.blobs import reference
from farm.errors import FarmError, NoReceipt, UnknownJob, WrongKind
from farm.job import Asked, JobView
from farm.receipt import Receipt


class Handle(Protocol):
    """A job as its client holds it."""

    id: str


#: Who is to be in a set, or may be relied on: a receipt, or the job that makes it (or its id).
Given = Receipt | bytes | str | Handle


class Candidates:
    """Reads what was given for the members of one set of this namespace.

    `kind` is the kind of receipt that all must have; `bodies` gets those that are to be stored.
    """

    def __init__(
        self,
        status: Callable[[str], JobView],
        namespace: str,
        kind: str,
        bodies: dict[str, bytes],
    ) -> None:
        self._status, self._namespace = status, namespace
        self._kind, self._bodies = kind, bodies

    def read(self, given: Iterable[Given]) -> list[Asked]:
        """Return who is asked for, in the order given; raises LedgerDown."""
        return [
            self._receipt(one) if isinstance(one, Receipt | bytes) else self._job(one)
            for one in given
        ]

    def _receipt(self, given: Receipt | bytes) -> Asked:
        raw, kind = request.assumed(given)
        name = reference(raw)
        image_id = given.image_id if isinstance(given, Receipt) else ""
        if kind != self._kind:
            return _refused(name, image_id, WrongKind(kind, self._kind))
        self._bodies[name] = raw
        return Asked(name, image_id)

    def _job(self, given: Handle | str) -> Asked:
        id = given if isinstance(given, str) else given.id
        try:
            view = self._status(id)
        except UnknownJob as error:
            return _refused(id, "", error)
        if view.spec.namespace != self._namespace:
            return _refused(id, "", UnknownJob(id))
        image_id, unfit = view.spec.image_id, view.error() or self._unfit(view)
        return _refused(id, image_id, unfit) if unfit else Asked(id, image_id)

    def _unfit(self, view: JobView) -> FarmError | None:
        if view.spec.kind == "execute":
            return NoReceipt(view.id)
        kind = view.spec.receipt
        return WrongKind(kind, self._kind) if kind != self._kind else None


def _refused(name: str, image_id: str, error: FarmError) -> Asked:
    return Asked(name, image_id, error.code, list(error.facts))
