"""Make jobs of what clients of the API ask for, and hand them in, many in one go."""

from collections.abc import Sequence
from typing import Any

import msgspec

from farm import admission, request
from farm.admission import Terms
from farm.blobs import DirectoryBlobs
from farm.errors import BadInput, FarmError, UnknownUpload
from farm.guests import Known
from farm.job import JobSpec
from farm.ledger import Ledger
from farm.quota import Quota
from farm.settings import Settings
from farm.submission import Submission
from farm.uploads import Kind, Upload, Uploads


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One job as it is asked for: of an image and an input that were uploaded."""

    namespace: str
    image: str
    #: Id of an upload, or "" and the reference of a body that is in the store.
    input: str = ""
    stdin: str = ""
    mode: str = "risc0"
    receipt: str = "succinct"
    #: Ids of uploads, or of jobs.
    assumptions: list[str] = []
    po2: int | None = None
    cycle_limit: int | None = None
    priority: int = 0
    deadline: float | None = None
    idempotency_key: str | None = None
    labels: dict[str, str] = {}
    aggregate: str = ""
    value: float = 0.0
    quota: Quota | None = None

    def names(self) -> list[tuple[Kind, str]]:
        """Return the uploads that it goes by; assumptions may be jobs instead."""
        given: list[tuple[Kind, str]] = [("image", self.image)]
        given += [("input", self.input)] if self.input else []
        return [*given, *(("receipt", one) for one in self.assumptions)]


class Intake:
    """Hands in orders; each is answered by its job's id, or by why it is not accepted."""

    def __init__(self, settings: Settings, ledger: Ledger, blobs: DirectoryBlobs) -> None:
        self._settings, self._ledger, self._blobs = settings, ledger, blobs
        self._known = Known(ledger)
        self._tenants: dict[str, tuple[Settings, Ledger]] = {}

    def __call__(self, orders: Sequence[Order]) -> list[str | Exception]:
        """Return what became of each; raises LedgerDown for all of them."""
        made: list[JobSpec | FarmError] = []
        for order, found in zip(orders, self._uploads(orders), strict=True):
            try:
                made.append(self._spec(order, found))
            except FarmError as error:
                made.append(error)
        good = [
            (spec, Terms(self._blobs.has, self._settings.open_jobs, order.quota))
            for order, spec in zip(orders, made, strict=True)
            if isinstance(spec, JobSpec)
        ]
        admitted = iter(admission.admit(self._ledger, good))
        answers = [next(admitted) if isinstance(one, JobSpec) else one for one in made]
        return [one if isinstance(one, FarmError) else one.job for one in answers]

    def again(self, namespace: str, spec: JobSpec, quota: Quota, **how: Any) -> str:
        """Return the id of a job that does once more what another was asked for, but for `how`.

        Raises HostLacks for a receipt that no host can make, and what `admission.admit` answers.
        """
        settings, ledger = self._tenant(namespace)
        asked = Submission(settings, ledger, {}, self._known)
        kinds = asked.kinds(spec.kind, how.get("receipt", spec.receipt))
        fresh = asked.stored(spec.image_id, spec.program, spec.input)
        own = {"idempotency_key": None, "aggregate": ""}
        made = msgspec.structs.replace(spec, **fresh | own | kinds | how)
        terms = Terms(self._blobs.has, settings.open_jobs, quota)
        return ledger.submit(made, present=terms.present, cap=terms.cap, quota=quota).job

    def _uploads(self, orders: Sequence[Order]) -> list[dict[tuple[Kind, str], Upload | None]]:
        asked: dict[str, list[tuple[Kind, str]]] = {}
        for order in orders:
            asked.setdefault(order.namespace, []).extend(order.names())
        found = {}
        for namespace, names in asked.items():
            unique = list(dict.fromkeys(names))
            there = Uploads(self._ledger, namespace).find_all(unique)
            found[namespace] = dict(zip(unique, there, strict=True))
        return [found[order.namespace] for order in orders]

    def _spec(self, order: Order, found: dict[tuple[Kind, str], Upload | None]) -> JobSpec:
        for kind, id in order.names():
            if found[kind, id] is None and kind != "receipt":
                raise UnknownUpload(kind, id)
        refs = {name: one.ref for name, one in found.items() if one}
        settings, ledger = self._tenant(order.namespace)
        asked = Submission(settings, ledger, {}, self._known)
        kinds = asked.kinds(order.mode, order.receipt)
        input = refs["input", order.input] if order.input else order.stdin
        if (order.cycle_limit or 0) > settings.cycle_limit:
            text = f"{order.cycle_limit} is over the farm's limit of {settings.cycle_limit}"
            raise BadInput(f"job: cycle_limit {text}")
        relied = [
            # What a receipt proves was looked at when it came; what a guest needs, it says itself.
            refs.get(("receipt", one)) or asked.assumption(one, kinds)
            for one in order.assumptions
        ]
        how: dict[str, Any] = {
            name: getattr(order, name)
            for name in ("priority", "deadline", "idempotency_key", "labels")
        }
        spec = request.checked(
            **kinds | how | asked.limits(order.po2, order.cycle_limit),
            **asked.stored(order.image, refs["image", order.image], input),
            **asked.batched(order.image, kinds, bool(relied)),
            assumptions=relied,
            **asked.joins(order.aggregate, order.value, kinds),
        )
        return asked.sized(spec) if order.po2 is None else spec

    def _tenant(self, namespace: str) -> tuple[Settings, Ledger]:
        if namespace not in self._tenants:
            settings = self._settings.model_copy(update={"namespace": namespace})
            ledger = Ledger(self._ledger.client, self._ledger.where)
            ledger.namespace = namespace
            self._tenants[namespace] = settings, ledger
        return self._tenants[namespace]
