"""Ask a farm for proofs: `Farm` submits, `Job` waits for one receipt, `Batch` for trace proofs."""

import math
import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import msgspec

from farm import embedded, queue, verify
from farm import settings as config
from farm.batch import Batch
from farm.blobs import DirectoryBlobs, RedisBlobs, reference
from farm.door import Door
from farm.entry import Intake
from farm.errors import (
    BadInput,
    BadProgram,
    BadSetting,
    ImageMismatch,
    InputTooLarge,
    WaitTimeout,
)
from farm.follow import Clock, Progress, follow
from farm.gather import Gatherer
from farm.job import Change, JobSpec, JobView, new_id
from farm.lazy import lazy
from farm.ledger import Ledger
from farm.lot import TraceJob
from farm.outbox import Envelope
from farm.pace import Pace
from farm.publish import Publisher
from farm.receipt import Receipt
from farm.reused import Reused
from farm.settings import ZKVM, Settings
from farm.witness import read_inputs

#: Sizes of segments that the prover has keys for.
PO2 = (14, *range(16, 23))

#: A guest program: its bytes (ELF or blob), or the file that holds them.
Program = bytes | str | os.PathLike[str]


class Farm:
    """A farm to submit to: the one at `url`, else this user's own (`farm up`).

    Safe to use from several threads. Calls raise LedgerDown while the farm is away.
    """

    def __init__(self, url: str = "", *, settings: Settings | None = None) -> None:
        self.settings = settings or config.load(ledger_url=url or None)
        namespace = self.settings.namespace
        if not namespace or ":" in namespace:
            # Names in the ledger are joined by colons.
            raise BadSetting("namespace", f"{namespace!r} is empty or holds a colon")
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
        image_id: str | None = None,
        po2: int | None = None,
        cycle_limit: int | None = None,
        priority: int = 0,
        deadline: float | None = None,
        idempotency_key: str | None = None,
    ) -> "Job":
        """Return the job that proves `program` on the guest's stdin `input`; it is durable by then.

        `po2` sets the size of segments, `deadline` is a unix time, and jobs submitted with one
        `idempotency_key` are one job. Raises BadProgram, ImageMismatch, InputTooLarge, BadInput
        for any other argument that cannot be used, Busy.
        """
        ledger, body = self.ledger, self._body(program)
        if len(input) > self.settings.input_limit:
            raise InputTooLarge(len(input), self.settings.input_limit)
        name = reference(body)
        spec = checked(
            id=new_id(),
            namespace=self.settings.namespace,
            image_id=self._image(name, body, image_id),
            program=name,
            input=reference(input),
            po2=self.settings.segment_po2 if po2 is None else po2,
            cycle_limit=self.settings.cycle_limit if cycle_limit is None else cycle_limit,
            input_limit=self.settings.input_limit,
            priority=priority,
            deadline=deadline,
            idempotency_key=idempotency_key,
        )
        self.blobs.keep(name, body)
        self.blobs.keep(spec.input, input)
        admitted = ledger.submit(spec, present=self.blobs.has, cap=self.settings.open_jobs)
        return self.job(admitted.job)

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

    def job(self, id: str) -> "Job":
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
        """Where programs, inputs and receipts are."""
        return DirectoryBlobs(self.settings.state / "blobs")

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

    def _body(self, program: Program) -> bytes:
        body = program if isinstance(program, bytes) else _read(Path(program))
        if not body:
            raise BadProgram("it is empty", ZKVM)
        if len(body) > self.settings.program_limit:
            raise BadProgram(f"{len(body)} bytes are over {self.settings.program_limit}", ZKVM)
        return body

    def _image(self, ref: str, program: bytes, expected: str | None) -> str:
        if ref not in self._images:
            self._images[ref] = verify.image_id(program, self.settings)
        if expected is not None and expected.lower() != self._images[ref]:
            raise ImageMismatch(self._images[ref], expected)
        return self._images[ref]


def checked(**fields: Any) -> JobSpec:
    """Return the job with these fields; raises BadInput for one that no scheduler could read.

    A job is durable once accepted: what is wrong in it has to be found before.
    """
    try:
        # A Struct takes anything when it is made; only a conversion looks at the types.
        spec = msgspec.convert(msgspec.to_builtins(fields), JobSpec)
    except (TypeError, ValueError) as error:
        raise BadInput(f"job: {error}") from error
    if spec.po2 not in PO2:
        raise BadInput(f"job: po2 is {spec.po2}, not 14 or 16 to 22")
    if not 0 < spec.cycle_limit < 1 << 63:
        raise BadInput(f"job: cycle_limit is {spec.cycle_limit}, not 1 to 2^63 - 1")
    if abs(spec.priority) >= 1 << 31:
        raise BadInput(f"job: priority is {spec.priority}, not within 32 bits")
    if spec.deadline is not None and not math.isfinite(spec.deadline):
        raise BadInput(f"job: deadline is {spec.deadline}, not a unix time")
    return spec


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadProgram(f"cannot read {path} ({error.strerror})", ZKVM) from error


class Job:
    """One job of a farm; nothing but its id is kept here."""

    def __init__(self, farm: Farm, id: str) -> None:
        self.farm, self.id = farm, id

    def __repr__(self) -> str:
        return f"<Job {self.id}>"

    def status(self) -> JobView:
        """Return the job as it is now; raises UnknownJob."""
        return self.farm.ledger.status(self.id)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Receipt:
        """Return the receipt, verified, once there is one.

        Raises why the job has ended without one (GuestPanicked, CycleLimitReached, JobAborted,
        ...), or WaitTimeout after `timeout` seconds. `progress` is told of every change.
        """
        for changes in self.changes(timeout):
            for change in changes:
                if progress:
                    progress(change)
        return self.receipt()

    def changes(self, timeout: float | None = None) -> Iterator[list[Change]]:
        """Yield what becomes of the job until it has ended; raises WaitTimeout."""
        return follow(self.farm.ledger, self.id, lambda: self.status().state, Clock(timeout))

    def receipt(self) -> Receipt:
        """Return the receipt of a job that has SUCCEEDED, verified here against its image id."""
        view = self.status()
        if error := view.error():
            raise error
        if not view.state.ended:
            raise WaitTimeout(self.id, view.state, 0)
        raw = self.farm.blobs.get(view.receipt)
        shown = verify.verify(raw, view.spec.image_id, self.farm.settings)
        return Receipt(raw, shown.journal, view.spec.image_id, shown.digest, shown.kind)

    def cancel(self) -> bool:
        """Return whether the job was open, and is ABORTED now; raises UnknownJob."""
        return self.farm.ledger.cancel(self.id)
