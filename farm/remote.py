"""A farm that is known by its URL: the same client, by way of the API instead of the ledger."""

import secrets
from collections.abc import Iterable
from typing import Any, NoReturn, TypeVar, cast

import msgspec

from farm import request
from farm.asked import Given
from farm.batch import Batch
from farm.blobs import checked, reference
from farm.client import Farm
from farm.errors import BadInput, ImageMismatch
from farm.guests import Registered
from farm.handle import Job
from farm.job import Change, JobView
from farm.lazy import lazy
from farm.ledger import Ledger
from farm.lot import TraceJob
from farm.receipt import Receipt
from farm.remote_batch import RemoteBatch
from farm.remote_http import Http
from farm.request import Program
from farm.trace_set import TraceSet
from farm.uploads import Upload
from farm.wire import ExecutedRecord
from farm.witness import read_inputs

T = TypeVar("T")

#: Inputs up to this size travel with the job.
SMALL = 64 << 10


class RemoteLedger:
    """What a client asks a ledger, asked of an API."""

    def __init__(self, http: Http) -> None:
        self._http = http
        #: Whether it has answered this process before: then an outage is waited out.
        self.answered = False

    def __getattr__(self, name: str) -> NoReturn:
        raise BadInput(f"{name}: that is not to be had by URL; ask where the ledger is")

    def status(self, id: str) -> JobView:
        """Return the job as it is now; raises UnknownJob."""
        return self._read(f"/v1/jobs/{id}", JobView)

    def jobs(self, limit: int = 100) -> list[JobView]:
        """Return the newest jobs, newest first."""
        found = self._read(f"/v1/jobs?limit={min(limit, 1000)}", dict[str, Any])["jobs"]
        return msgspec.convert(found, list[JobView])

    def changes(self, id: str, after: str = "0", block_ms: int = 0) -> list[Change]:
        """Return what became of a job since the change `after`, oldest first."""
        wait = min(block_ms / 1000, 10)
        return self._read(f"/v1/jobs/{id}/changes?after={after}&wait={wait}", list[Change])

    def cancel(self, id: str) -> bool:
        """Return whether the job was open and is ABORTED now."""
        found = msgspec.json.decode(self._http.post(f"/v1/jobs/{id}/cancel"), type=dict[str, bool])
        return found["cancelled"]

    def executed(self, session: str) -> ExecutedRecord | None:
        """Return None: how a guest ended is told once its job has."""
        return None

    def _read(self, path: str, kind: type[T]) -> T:
        body = self._http.get(path)
        self.answered = True
        return msgspec.json.decode(body, type=kind)


class RemoteFarm(Farm):
    """A farm by URL; the key is that of the setting `api_key`, and says whose jobs it is about."""

    @lazy
    def http(self) -> Http:
        """Its API; raises BadSetting without a key."""
        return Http(self.settings.ledger_url, self.settings.api_key)

    @lazy
    def ledger(self) -> Ledger:
        """What a client may ask of the ledger."""
        return cast(Ledger, RemoteLedger(self.http))

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        if "http" in self.__dict__:
            self.http.close()

    def submit(self, program: Program, input: bytes = b"", **how: Any) -> Job:
        """Return the job; takes and raises what `Farm.submit` does."""
        # A name of its own, so that what is sent twice is one job.
        how["idempotency_key"] = how.get("idempotency_key") or secrets.token_hex(16)
        how["assumptions"] = [self._named(one) for one in how.pop("assumptions", ())]
        how["image_id"] = self._image(program, how.pop("image_id", None))
        if len(input) > SMALL:
            how["input"] = self._put("inputs", input)
        else:
            how["stdin"] = input
        return self._begun("/v1/jobs", how)

    def aggregate(self, members: Any, **how: Any) -> Any:
        """Return the job, or the trace set; takes and raises what `Farm.aggregate` does."""
        if isinstance(members, Batch):
            return TraceSet(members.wait())
        how["idempotency_key"] = how.get("idempotency_key") or secrets.token_hex(16)
        return self._begun("/v1/sets", how | {"members": [self._named(one) for one in members]})

    def submit_many(self, program: str, rounds: Any = None, witness: Any = None) -> Batch:
        """Return the batch; takes and raises what `Farm.submit_many` does."""
        return RemoteBatch.begun(read_inputs(program, rounds, witness), self.http)

    def submit_trace(
        self, program: str, rounds: int | None = None, witness: Iterable[int] | None = None
    ) -> TraceJob:
        """Raise BadInput: single traces are gathered where the ledger is."""
        raise BadInput("traces go one by one only where the ledger is: use submit_many by URL")

    def register(self, program: Program, name: str = "", *, batch: bool = False) -> Registered:
        """Return the guest, uploaded; raises BadInput for one that takes a list of inputs."""
        if batch:
            raise BadInput("guests that take a list are registered where the ledger is")
        return Registered(image_id=self._image(program, None), program="", name=name)

    def guests(self) -> list[Registered]:
        """Return the programs that were uploaded."""
        found = msgspec.json.decode(self.http.get("/v1/uploads"), type=list[Upload])
        images = [one for one in found if one.kind == "image"]
        return [Registered(image_id=one.id, program=one.ref) for one in images]

    def blob(self, job: str, ref: str) -> bytes:
        """Return a body that the record of a job names; raises BlobMissing."""
        return checked(ref, self.http.get(f"/v1/jobs/{job}/blobs/{ref}"))

    def _image(self, program: Program, expected: str | None) -> str:
        body = request.body(program, self.settings.program_limit)
        ref = reference(body)
        if ref not in self._images:
            self._images[ref] = self._put("images", body)
        if expected is not None and expected.lower() != self._images[ref]:
            raise ImageMismatch(self._images[ref], expected)
        return self._images[ref]

    def _named(self, given: Given) -> str:
        """Return the name of a job, or of a receipt, which is uploaded."""
        if isinstance(given, Receipt | bytes):
            return self._put("receipts", given if isinstance(given, bytes) else given.bytes)
        return given if isinstance(given, str) else given.id

    def _put(self, where: str, body: bytes) -> str:
        return str(msgspec.json.decode(self.http.post(f"/v1/{where}", body))["id"])

    def _begun(self, path: str, asked: dict[str, Any]) -> Job:
        known = {name: value for name, value in asked.items() if value is not None}
        view = msgspec.json.decode(self.http.send(path, known), type=JobView)
        return Job(self, view.id)
