"""Ask the ledger, as a client: submit, cancel, look, wait for changes.

`Steps` (steps.py) is what workers tell the ledger, `Book` (book.py) what the scheduler writes.
"""

import contextlib
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any, NamedTuple

import msgspec

from farm import admission, keys, models
from farm.cost import CostModel
from farm.errors import Busy, FarmError, JobFailed, LedgerDown, UnknownJob
from farm.job import Admission, BatchView, Change, JobSpec, JobView, State
from farm.outbox import Envelope
from farm.quota import Quota
from farm.server import LONGEST_BLOCK, Server, named_errors
from farm.session import Slot, StepState
from farm.wire import ExecutedRecord

#: How long a submission waits for the server's disk.
SYNC_MS = 5000
#: When to come back to a farm whose trace batches hold too much: they are over soon.
TRACE_RETRY_SECONDS = 1
#: Seconds that room is kept for a batch whose upload has begun.
UPLOAD_SECONDS = 30


class Chunk(NamedTuple):
    """One chunk of a trace batch: "trace:<start>-<end>", and its message for attempt 1.

    The message of a small one is left to the scheduler, which sends it together with others.
    """

    step: str
    message: Envelope
    small: bool = False


class Ledger(Server):
    """What a client can ask; every call may raise LedgerDown or WrongPassword."""

    #: Whose jobs and batches can be seen and cancelled, empty for everybody's; whose a batch is.
    namespace = ""

    def submit(
        self,
        spec: JobSpec,
        *,
        present: Callable[[str], bool] = lambda ref: True,
        cap: int = 100_000,
        quota: Quota | None = None,
    ) -> Admission:
        """Return the job's admission, which is durable by then; sent twice it is one job.

        `admission.Terms` says what it goes by. Raises what `admission.admit` answers.
        """
        found = admission.admit(self, [(spec, admission.Terms(present, cap, quota))])[0]
        if isinstance(found, FarmError):
            raise found
        return found

    def cancel(self, id: str) -> bool:
        """Return whether the job was open and is ABORTED now; others of its session go on."""
        answer, token = "RETRY", token_hex(8)  # the job may just be moving to another session
        while answer == "RETRY":
            name, key, spec = self._read("HMGET", keys.job(id), "session", "key", "spec")
            if key is None or not self._ours(spec):
                raise UnknownJob(id)
            names = [keys.job(id), keys.changes(id), keys.OPEN, keys.SESSIONS, keys.answer(key)]
            facts = _json([id, "by request"])
            args = [id, name, State.ABORTED, "JobAborted", facts, "cancelled by request"]
            names += [*keys.inner(name), keys.TENANTS, keys.EVENTS]
            answer = self.call("cancel", names, [*args, keys.RETAINED, keys.KEPT, token])
        return answer == "OK"

    def status(self, id: str) -> JobView:
        """Return the job as it is now; raises UnknownJob, JobFailed for one that cannot be read."""
        fields = pairs(self._read("HGETALL", keys.job(id)))
        if not fields or not self._ours(fields["spec"]):
            raise UnknownJob(id)
        try:
            return job_view(id, fields)
        except ValueError as error:
            raise JobFailed(id, f"it cannot be read: {error}") from error

    def changes(self, id: str, after: str = "0", block_ms: int = 0) -> list[Change]:
        """Return what became of a job or batch since the change `after`, oldest first.

        Waits up to `block_ms` for the first; an empty list means none came. The stream is
        kept short: who waits reads the end from `status` too.
        """
        command: list[Any] = ["XREAD", "COUNT", 1000]
        if block_ms:
            command += ["BLOCK", min(block_ms, LONGEST_BLOCK)]
        found = self._read(*command, "STREAMS", keys.changes(id), after)
        entries = found[0][1] if found else []
        return [
            msgspec.convert(pairs(fields) | {"id": entry}, Change, strict=False)
            for entry, fields in entries
        ]

    def jobs(self, limit: int = 100) -> list[JobView]:
        """Return those of the newest jobs that are ours and can be read, newest first."""
        ids = self._read("LRANGE", keys.RECENT_JOBS, 0, limit - 1)
        found = self.calls([("HGETALL", keys.job(id)) for id in ids]) if ids else []
        views = []
        for id, fields in zip(ids, map(pairs, found), strict=True):
            # One job that cannot be read must not hide all the others.
            with contextlib.suppress(ValueError):
                if fields and self._ours(fields["spec"]):
                    views.append(job_view(id, fields))
        return views

    def executed(self, session: str) -> ExecutedRecord | None:
        """Return how the guest of a session ended, None while it runs or when that is forgotten."""
        text = self._read("HGET", keys.session(session), "exec")
        return msgspec.json.decode(text, type=ExecutedRecord) if text else None

    def slots(self) -> list[Slot]:
        """Return the slots that are up and can be read, by name."""
        slots = []
        for _, text in sorted(pairs(self._read("HGETALL", keys.SLOTS)).items()):
            with contextlib.suppress(ValueError):
                slots.append(msgspec.json.decode(text, type=Slot))
        return slots

    def models(self) -> dict[str, CostModel]:
        """Return what the farm has learned of costs, by kind of step (farm/terms.py names them)."""
        return models.read(pairs(self._read("HGETALL", keys.MODELS)))

    def trace_submit(
        self,
        id: str,
        program: str,
        count: int,
        chunks: Sequence[Chunk],
        *,
        size: int = 0,
        cap: int = 1 << 50,
        forget: Sequence[str] = (),
    ) -> bool:
        """Return whether the batch is new; durable by then. The batches in `forget` are dropped.

        The client sends the messages of the chunks that are not small. `size` is what the batch
        holds in the scratch server; raises Busy when that makes more than `cap` bytes in all.
        """
        inputs = [ref for chunk in chunks for ref in chunk.message.kwargs.get("inputs", ())]
        args: list[Any] = [id, program, count, len(chunks), size, cap]
        args += [self.namespace, _json(inputs)]
        for chunk in chunks:
            record = StepState(state="SENT", attempt=1, message=chunk.message.json())
            args += [chunk.step, _json(record), int(chunk.small)]
        before = [self._forgetting(one) for one in forget]
        names = [*batch_keys(id), keys.EVENTS]
        answer = self.durable([*before, self.command("trace_submit", names, args)])[-1]
        if answer == "BUSY":
            raise trace_busy(cap)
        return bool(answer == "NEW")

    def trace_room(self, id: str, size: int, cap: int) -> None:
        """Keep room for a batch of `size` bytes that is about to be uploaded and submitted.

        Without an `id` none is kept. Raises Busy when it does not fit beside what others hold.
        """
        args = [id, size, cap, UPLOAD_SECONDS]
        if self.call("trace_room", [keys.HOLDERS, keys.HELD], args) == "BUSY":
            raise trace_busy(cap)

    def trace_view(self, id: str) -> BatchView:
        """Return the batch as it is now; raises UnknownJob."""
        fields, nodes = map(
            pairs, self.calls([("HGETALL", keys.batch(id)), ("HGETALL", keys.nodes(id))])
        )
        if not fields or not self._sees(fields.get("namespace")):
            raise UnknownJob(id)
        lists = {name: msgspec.json.decode(fields.get(name, "[]")) for name in ("facts", "inputs")}
        known = fields | lists | {"id": id, "nodes": nodes}
        return msgspec.convert(known, BatchView, strict=False)

    def trace_cancel(self, id: str) -> bool:
        """Return whether the batch was running, is ours, and is ABORTED now."""
        if not self._sees(self._read("HGET", keys.batch(id), "namespace")):
            return False
        return bool(self.call("trace_end", batch_keys(id), _aborted(id)) == "OK")

    def trace_release(self, id: str, size: int = 0) -> None:
        """Note that what the batch held in the scratch server is there no more.

        Of one that was never submitted, `size` says for how many bytes room was kept.
        """
        self.call("trace_release", batch_keys(id), [id, size])

    def trace_forget(self, *ids: str) -> None:
        """Drop batches whose results the client has."""
        if ids:
            self.calls([self._forgetting(id) for id in ids])

    def _forgetting(self, id: str) -> tuple[Any, ...]:
        return self.command("trace_forget", batch_keys(id), _aborted(id))

    def durable(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """Return the answers to commands, all of which the server's disk has by then."""
        *answers, synced = self.calls([*commands, ("WAITAOF", 1, 0, SYNC_MS)], lenient=True)
        for answer in answers:
            if isinstance(answer, Exception):
                with named_errors(self.where):
                    raise answer
        # An error is a server without WAITAOF or without a file: `check` has warned of it.
        if isinstance(synced, list) and synced[0] < 1:
            raise LedgerDown(self.where, f"its disk took longer than {SYNC_MS} ms")
        return answers

    def _ours(self, spec: str) -> bool:
        return self._sees(msgspec.json.decode(spec)["namespace"])

    def _sees(self, namespace: str | None) -> bool:
        # A batch of a farm before this one has none recorded: it is seen as what the default is.
        return self.namespace in ("", namespace or "default")

    def _read(self, *command: Any) -> Any:
        return self.calls([command])[0]


def batch_keys(id: str) -> list[str]:
    """Return the keys of a trace batch, in the order the functions take them."""
    own = [keys.batch(id), keys.steps(id), keys.nodes(id)]
    return [*own, keys.BATCHES, keys.changes(id), keys.HOLDERS, keys.HELD]


def trace_busy(cap: int) -> Busy:
    """Return the error for trace batches that would hold more than `cap` bytes."""
    return Busy("what trace batches hold", f"{cap} bytes", TRACE_RETRY_SECONDS)


def _aborted(id: str) -> list[Any]:
    facts = _json([id, "by request"])
    return [id, State.ABORTED, "JobAborted", facts, keys.KEPT, keys.SCRATCH]


def job_view(id: str, fields: dict[str, str]) -> JobView:
    """Return the job whose hash has these fields."""
    parsed = {name: msgspec.json.decode(fields[name]) for name in _JSON if fields.get(name)}
    known = {name: value for name, value in fields.items() if name not in _JSON}
    return msgspec.convert(known | parsed | {"id": id}, JobView, strict=False)


_JSON = ("spec", "stats", "facts")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def pairs(flat: Any) -> dict[str, str]:
    """Return a hash's fields, however the client library gave them."""
    return flat if isinstance(flat, dict) else dict(zip(flat[::2], flat[1::2], strict=True))
