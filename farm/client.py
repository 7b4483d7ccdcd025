"""Ask a farm for proofs: `Farm` submits; a `Job` waits for one receipt, a `Batch` for traces."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self, cast, overload

from farm import about, embedded, guests, queue, request
from farm import settings as config
from farm.asked import Given
from farm.batch import Batch
from farm.blobs import DirectoryBlobs, RedisBlobs
from farm.door import Door
from farm.entry import Intake
from farm.errors import BadSetting
from farm.gather import Gatherer
from farm.guests import Registered
from farm.handle import Job
from farm.job import JobSpec, JobView
from farm.lazy import lazy
from farm.ledger import Ledger
from farm.lot import TraceJob
from farm.outbox import Envelope
from farm.pace import Pace
from farm.publish import Publisher
from farm.quota import Quota
from farm.remote_http import is_remote
from farm.request import Program
from farm.reused import Reused
from farm.settings import Settings
from farm.store import Store
from farm.submission import Submission
from farm.trace_set import TraceSet
from farm.witness import read_inputs


class Farm:
    """A farm to submit to: the one at `url`, else this user's own (`farm up`).

    The URL is that of its ledger, or of its API (https://), which wants a key: setting `api_key`.
    Safe to use from several threads. Calls raise LedgerDown while the farm is away.
    """

    def __new__(cls, url: str = "", *, settings: Settings | None = None) -> Self:
        """Return a client of the kind that the URL wants."""
        if cls is Farm and is_remote((settings or config.load(ledger_url=url or None)).ledger_url):
            # It is made of this one.
            from farm.remote import RemoteFarm

            return cast(Self, object.__new__(RemoteFarm))
        return object.__new__(cls)

    def __init__(self, url: str = "", *, settings: Settings | None = None) -> None:
        self.settings = settings or config.load(ledger_url=url or None)
        namespace = self.settings.namespace
        if not namespace or ":" in namespace:
            # Names in the ledger are joined by colons.
            raise BadSetting("namespace", f"{namespace!r} is empty or holds a colon")
        #: What binds the tenant of this client, None for nothing.
        self.quota: Quota | None = None
        self._images: dict[str, str] = {}
        # What is made when first asked for is made of other such parts.
        self._lock = threading.RLock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Send what is still gathered and close the connections; the next call opens them again."""
        if "_gatherer" in self.__dict__:
            self._gatherer.close()
        if "_reused" in self.__dict__:
            self._reused.close()
        if "_publisher" in self.__dict__:
            self._publisher.close()
        if "ledger" in self.__dict__:
            self.ledger.client.close()
        if "scratch" in self.__dict__:
            self.scratch.close()

    def submit(
        self,
        program: Program,
        input: bytes = b"",
        *,
        mode: str = "risc0",
        receipt: str = "succinct",
        assumptions: Sequence[Given] = (),
        image_id: str | None = None,
        po2: int | None = None,
        cycle_limit: int | None = None,
        priority: int = 0,
        deadline: float | None = None,
        idempotency_key: str | None = None,
        aggregate: str = "",
        value: float = 0.0,
        labels: Mapping[str, str] | None = None,
    ) -> Job:
        """Return the job that proves `program` on the guest's stdin `input`; it is durable by then.

        In `mode` "trace" it is only executed, with a commitment for a receipt, and in "execute"
        without one. The guest may rely on `assumptions`. Segments have 2^`po2` cycles, or what
        setting and slots make of it. `deadline` is a unix time; jobs with one `idempotency_key`
        are one. Once it has its receipt, it joins the open set `aggregate`, where it is worth
        `value`: see the setting of that name. Raises BadProgram, ImageMismatch, InputTooLarge,
        HostLacks for a receipt that no host can make; WrongKind, NoReceipt or UnknownJob for an
        assumption; BadInput for any other argument that cannot be used; Busy.
        """
        asked = self._asked()
        kinds = asked.kinds(mode, receipt)
        given = {"priority": priority, "deadline": deadline, "idempotency_key": idempotency_key}
        what = asked.given(program, input, image_id)
        spec = request.checked(
            **kinds | given | asked.limits(po2, cycle_limit) | what,
            **asked.batched(what["image_id"], kinds, bool(assumptions)),
            assumptions=[asked.assumption(one, kinds) for one in assumptions],
            **asked.joins(aggregate, value, kinds),
            labels=dict(labels or {}),
        )
        return self._admit(asked, spec, po2)

    @overload
    def aggregate(self, members: Batch) -> TraceSet: ...

    @overload
    def aggregate(
        self,
        members: Iterable[Given],
        *,
        mode: str = ...,
        po2: int | None = ...,
        priority: int = ...,
        deadline: float | None = ...,
        idempotency_key: str | None = ...,
    ) -> Job: ...

    def aggregate(
        self,
        members: Iterable[Given] | Batch,
        *,
        mode: str = "risc0",
        po2: int | None = None,
        priority: int = 0,
        deadline: float | None = None,
        idempotency_key: str | None = None,
    ) -> Job | TraceSet:
        """Return the job that makes one receipt of many; it is durable by then.

        Its receipt is the set builder's. Who cannot be a member is left out, and named with the
        reason by the job's `members`, which has for each other one the proof that it is in the
        set. Members are of any programs; all have succinct receipts, or in `mode` "trace" traces.
        The proofs of a trace batch only get a root, once they are all there: nothing is proved.
        Raises BadInput for no members at all, and as `submit` does.
        """
        if isinstance(members, Batch):
            return TraceSet(members.wait())
        asked = self._asked()
        kinds = asked.kinds(mode, "succinct")
        given = {"priority": priority, "deadline": deadline, "idempotency_key": idempotency_key}
        how = given | asked.limits(po2, None)
        return self._admit(asked, asked.a_set(asked.members(members, kinds), kinds, **how), po2)

    def submit_many(self, program: str, rounds: Any = None, witness: Any = None) -> Batch:
        """Return a batch of trace proofs, one a row; it is accepted by then.

        `fib.v0` takes `rounds` (one number, or one a row) and optionally two words a row;
        `sha256.v0` takes a message of words a row. Raises BadTrace for what is no batch at all;
        a row that is wrong fails alone. Raises Busy when trace batches hold too much already,
        InputTooLarge for more than they may ever hold.
        """
        with self._door:
            rows = read_inputs(program, rounds, witness)
            if self.settings.trace_cache == "off":
                return Batch.submit(rows, self._intake)
            return self._reused.submit(rows, lambda part: Batch.submit(part, self._intake))

    def submit_trace(
        self, program: str, rounds: int | None = None, witness: Iterable[int] | None = None
    ) -> TraceJob:
        """Return one trace proof to be made, BUFFERED until the batch it gets into is accepted.

        Takes what a row of `submit_many` takes. Raises BadTrace for what is no row, Busy while
        too many are BUFFERED. What is BUFFERED is lost with this process: see `flush`.
        """
        return self._gatherer.submit(program, rounds, witness)

    def flush(self, timeout: float | None = None) -> None:
        """Return once every trace submitted so far is accepted.

        Raises WaitTimeout, or why one could not be.
        """
        if "_gatherer" in self.__dict__:
            self._gatherer.flush(timeout)

    def register(self, program: Program, name: str = "", *, batch: bool = False) -> Registered:
        """Return the guest, which the farm knows from now on.

        With `batch` it takes a list of inputs (guest/batch): jobs of it that come together are
        executed and proved as one, and `Job.output` has what came of each. Raises BadProgram.
        """
        body = request.body(program, self.settings.program_limit)
        asked = self._asked()
        what = asked.given(body, b"", None)
        guest = Registered(
            image_id=what["image_id"], program=self.blobs.put(body), name=name, batch=batch
        )
        guests.register(self.ledger, guest)
        return guest

    def guests(self) -> list[Registered]:
        """Return the guests that the farm knows, by name."""
        return guests.known(self.ledger)

    def blob(self, job: str, ref: str) -> bytes:
        """Return a body that the record of a job names; raises BlobMissing."""
        return self.blobs.get(ref)

    def of(self, namespace: str) -> "Farm":
        """Return the same farm as another tenant sees it, with connections of its own."""
        return Farm(settings=self.settings.model_copy(update={"namespace": namespace}))

    def job(self, id: str) -> Job:
        """Return the handle of a job submitted before, by anyone; it need not exist yet."""
        return Job(self, id)

    def jobs(self, limit: int = 100) -> list[JobView]:
        """Return the newest jobs, newest first."""
        return self.ledger.jobs(limit)

    @lazy
    def ledger(self) -> Ledger:
        """The farm's ledger; raises LedgerDown when this user's farm is not up."""
        ledger = Ledger.at(self._urls.ledger)
        ledger.namespace = self.settings.namespace
        return ledger

    @lazy
    def blobs(self) -> DirectoryBlobs:
        """Where programs, inputs and receipts are; raises WrongStore if not the ledger's."""
        root = self.settings.state / "blobs"
        about.check(self.ledger, Store(root))
        return DirectoryBlobs(root)

    @lazy
    def scratch(self) -> RedisBlobs:
        """Where the columns of trace batches pass through."""
        return RedisBlobs.at(self._urls.scratch)

    @lazy
    def _urls(self) -> embedded.Urls:
        return embedded.urls(self.settings)

    @lazy
    def _publisher(self) -> Publisher:
        return Publisher(queue.app, self._urls.broker)

    @lazy
    def _intake(self) -> Intake:
        own = self.settings
        return Intake(
            ledger=self.ledger,
            scratch=self.scratch,
            send=self._send,
            limit_s=own.step_seconds,
            pace=Pace(self.ledger, own.trace_latency_seconds),
            held_limit=own.trace_bytes_in_flight,
        )

    @lazy
    def _door(self) -> Door:
        return Door(self.ledger, self.settings.trace_bytes_in_flight)

    @lazy
    def _reused(self) -> Reused:
        return Reused(self.settings, self._urls.scratch, self.ledger.models)

    @lazy
    def _gatherer(self) -> Gatherer:
        return Gatherer(self._intake, self.settings.trace_linger_seconds)

    def _send(self, messages: Sequence[Envelope]) -> None:
        self._publisher.send(messages)

    def _asked(self) -> Submission:
        return Submission(self.settings, self.ledger, self._images)

    def _admit(self, asked: Submission, spec: JobSpec, po2: int | None) -> Job:
        spec = asked.sized(spec) if po2 is None else spec
        for ref, body in asked.bodies.items():
            self.blobs.put(body, ref)
        present, cap = self.blobs.has, self.settings.open_jobs
        quota = self.quota
        return Job(self, self.ledger.submit(spec, present=present, cap=cap, quota=quota).job)
