"""Read the ledger, as the scheduler: what runs, who waits, what happened since.

Nothing here changes anything. A session is read in one transaction, so that its parts agree.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, TypeVar

import msgspec
import structlog

from farm import keys
from farm.errors import FarmError, JobFailed
from farm.events import Orphaned
from farm.instructions import Close
from farm.job import JobSpec, State
from farm.ledger import job_view, pairs
from farm.outbox import Envelope
from farm.relied import is_job, relied
from farm.server import LONGEST_BLOCK, Server
from farm.session import Gathered, JobFacts, Relied, SessionFacts, Slot, StepState
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord

log = structlog.get_logger()

Name = TypeVar("Name")
Record = TypeVar("Record")

_WANTED = ("state", "seq", "priority", "deadline", "identity")


class Noted(NamedTuple):
    """One event of the ledger: a hint that what it names has changed."""

    id: str
    fields: dict[str, str]


class Snapshot(Server):
    """What the scheduler reads."""

    def read(self, *command: Any) -> Any:
        """Return the server's answer to one reading command."""
        return self.calls([command])[0]

    def events(self, after: str, block_ms: int) -> list[Noted]:
        """Return the events after one, in order; waits up to `block_ms` for the first."""
        block = ["BLOCK", min(block_ms, LONGEST_BLOCK)] if block_ms else []
        found = self.read("XREAD", "COUNT", 500, *block, "STREAMS", keys.EVENTS, after)
        entries = found[0][1] if found else []
        return [Noted(id, pairs(fields)) for id, fields in entries]

    def outbox(self, count: int = 100) -> list[Envelope | None]:
        """Return messages that Celery has not got yet, oldest first; None for one nobody can read.

        Its step is sent again in time.
        """
        texts = dict(enumerate(self.read("LRANGE", keys.OUTBOX, 0, count - 1)))
        found = _readable("message", texts, Envelope)
        return [found.get(number) for number in texts]

    def beats(self) -> dict[str, int]:
        """Return the counters of slots and of leased steps."""
        return {field: int(n) for field, n in pairs(self.read("HGETALL", keys.BEATS)).items()}

    def slots(self) -> list[Slot]:
        """Return the slots that are up."""
        found = pairs(self.read("HGETALL", keys.SLOTS))
        return [*_readable("slot", found, Slot).values()]

    def sessions(self) -> list[str]:
        """Return the names of the sessions that run."""
        return sorted(self.read("SMEMBERS", keys.SESSIONS))

    def batches(self) -> list[str]:
        """Return the ids of the trace batches that run."""
        return sorted(self.read("SMEMBERS", keys.BATCHES))

    def slot(self, name: str) -> Slot | None:
        """Return a slot, None when it is not up."""
        text = self.read("HGET", keys.SLOTS, name)
        return msgspec.json.decode(text, type=Slot) if text else None

    def open_jobs(self) -> set[str]:
        """Return the ids of the jobs that have not ended."""
        return set(self.read("SMEMBERS", keys.OPEN))

    def session(self, name: str) -> SessionFacts | None:
        """Return a session as it is now, None when it does not run."""
        fields, waiters, segments, nodes, steps = self._together(
            ("HGETALL", keys.session(name)),
            ("SMEMBERS", keys.waiters(name)),
            ("HGETALL", keys.segments(name)),
            ("HGETALL", keys.nodes(name)),
            ("HGETALL", keys.steps(name)),
        )
        known = pairs(fields)
        if known.get("state") != State.RUNNING:
            return None
        ended, found = known.get("exec"), pairs(segments)
        spec = msgspec.json.decode(known["spec"], type=JobSpec)
        return SessionFacts(
            name=name,
            spec=spec,
            executed=msgspec.json.decode(ended, type=ExecutedRecord) if ended else None,
            segments={
                int(index): msgspec.json.decode(text, type=SegmentRecord)
                for index, text in found.items()
                if index.isdigit()
            },
            keccaks={
                int(field.partition(":")[2]): msgspec.json.decode(text, type=KeccakRecord)
                for field, text in found.items()
                if not field.isdigit()
            },
            nodes=pairs(nodes),
            steps=_steps(steps),
            waiters=self.waiting(waiters),
            relied=self.relied(spec),
            gathered=Gathered(*known["gathered"].split()) if "gathered" in known else None,
        )

    def waiting(self, ids: Any) -> list[JobFacts]:
        """Return what the scheduler needs to know of those jobs that are open, oldest first."""
        found = self.calls([("HMGET", keys.job(id), *_WANTED) for id in ids]) if ids else []
        facts = []
        for id, row in zip(ids, found, strict=True):
            try:
                facts.append(_job_facts(id, *row))
            except (TypeError, ValueError) as error:  # `orphan` finds it, and ends it
                log.warning("job not read", job=id, error=str(error))
        return sorted(filter(None, facts), key=lambda job: job.seq)

    def relied(self, spec: JobSpec) -> dict[str, Relied]:
        """Return the jobs that a job relies on; one of another namespace is not there."""
        jobs = [name for name in spec.relied_on if is_job(name)]
        found = self.calls([("HGETALL", keys.job(id)) for id in jobs]) if jobs else []
        views = [
            job_view(id, pairs(flat)) if flat else None
            for id, flat in zip(jobs, found, strict=True)
        ]
        return {id: relied(view, spec.namespace) for id, view in zip(jobs, views, strict=True)}

    def spec(self, job: str) -> JobSpec:
        """Return what a job asks for."""
        return msgspec.json.decode(self.read("HGET", keys.job(job), "spec"), type=JobSpec)

    def orphan(self, job: str) -> Orphaned | None:
        """Return an open job with the end of its session, None while that runs.

        Raises ValueError for a job that cannot be read.
        """
        name, key = self.read("HMGET", keys.job(job), "session", "key")
        fields = pairs(self.read("HGETALL", keys.session(name)))
        waiting = _job_facts(job, *self.read("HMGET", keys.job(job), *_WANTED))
        if not waiting or fields.get("state") == State.RUNNING:
            return None
        kept = {part: msgspec.json.decode(fields.get(part) or "[]") for part in ("facts", "stats")}
        end = Close(
            session=name,
            job_key=key,
            state=State(fields.get("state", State.FAILED)),
            error=FarmError.named(fields["code"], kept["facts"]) if fields.get("code") else None,
            receipt=fields.get("receipt", ""),
            journal=fields.get("journal", ""),
            stats=kept["stats"] or {},
        )
        return Orphaned(waiting, end)

    def session_of(self, job: str) -> str:
        """Return the name of the session that a job waits for, empty for a job that is gone."""
        return self.read("HGET", keys.job(job), "session") or ""

    def unreadable(self, job: str, error: Exception) -> Orphaned | None:
        """Return the end of a job that nobody can read, None when it is gone."""
        name, key = self.read("HMGET", keys.job(job), "session", "key")
        if not name or not key:
            return None
        # The session's own identity: other limits would let it start anew.
        facts = JobFacts(job, 0, 0, None, name.partition(".")[0])
        why = JobFailed(job, f"it cannot be read: {error}")
        return Orphaned(facts, Close(session=name, job_key=key, state=State.FAILED, error=why))

    def chunks(self, batch: str) -> dict[str, StepState]:
        """Return the chunks of a trace batch, none when it does not run."""
        state, steps = self._together(
            ("HGET", keys.batch(batch), "state"), ("HGETALL", keys.steps(batch))
        )
        found = pairs(steps) if state == State.RUNNING else {}
        return _readable("step", found, StepState, batch=batch)

    def _together(self, *commands: tuple[Any, ...]) -> list[Any]:
        return self.calls(commands, atomic=True)


def _job_facts(
    id: str, state: str | None, seq: str, priority: str, until: str, identity: str
) -> JobFacts | None:
    if not state or State(state).ended:
        return None
    return JobFacts(id, int(seq), int(priority), float(until) if until else None, identity)


def _readable(
    what: str, texts: Mapping[Name, str], type: type[Record], **of: str
) -> dict[Name, Record]:
    """Return the records that can be read: one that cannot must not stop all the others."""
    found = {}
    for name, text in texts.items():
        try:
            found[name] = msgspec.json.decode(text, type=type)
        except ValueError as error:
            log.warning(f"{what} not read", **{what: name}, **of, error=str(error))
    return found


def _steps(flat: Any) -> dict[str, StepState]:
    return {step: msgspec.json.decode(text, type=StepState) for step, text in pairs(flat).items()}
