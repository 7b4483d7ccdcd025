"""Write the ledger, as the scheduler: every call carries the epoch that this one holds.

A scheduler that was replaced while it slept gets StaleEpoch for whatever it tries, and nothing
is changed. `ack` names the event that a call has dealt with, which is deleted with it.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import redis

from farm import keys
from farm.errors import FarmError
from farm.instructions import Close, Finish
from farm.job import State
from farm.ledger import batch_keys, pairs
from farm.models import Models
from farm.outbox import Envelope
from farm.server import Server
from farm.session import Gathered, JobFacts, StepState, session_name
from farm.snapshot import Noted, Snapshot

#: Most batches of observations that are read at once.
LESSON = 64
#: The last id that an entry of a stream can have.
LATEST = f"{(1 << 64) - 1}-{(1 << 64) - 1}"


class StaleEpoch(FarmError):
    """Another scheduler is in charge."""

    template = "scheduler of epoch {0}: another one has taken over"


class OutOfStep(FarmError):
    """The ledger is not as the scheduler remembers it; it has to read it again."""

    template = "scheduler: {0} of {1} in session {2} is not what the ledger has"


class Write(NamedTuple):
    """One call of a function, the step that it is about, and the message it sends."""

    command: tuple[Any, ...]
    name: str
    about: tuple[str, str] | None = None
    message: Envelope | None = None


#: What is answered to a write that waits for others.
LATER = "LATER"
#: Most events that one call deletes: Lua's stack is bounded.
ACKED = 1000


class Book(Snapshot, Server):
    """What the scheduler of one epoch can write."""

    epoch = 0
    holder = ""

    def __init__(self, client: "redis.Redis", where: str = "") -> None:
        super().__init__(client, where)
        #: Writes that go together, None while each goes by itself.
        self._waiting: list[Write] | None = None
        self._posted: list[Envelope] = []
        #: How often messages were taken out of the outbox.
        self._taken = 0

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Have the writes of a block wait for `flush` or its end, and then go in one go, in order.

        Each is a call of its own: whatever is written when one of them fails may stay. What a
        write of the block returns says nothing; StaleEpoch and OutOfStep are raised by `flush`.
        """
        self._waiting = []
        try:
            yield
            self.flush()
        finally:
            self._waiting = None

    def flush(self) -> None:
        """Send the writes that wait; raises what they raise."""
        if not self._waiting:
            return
        writes, self._waiting = self._waiting, []
        answers = self.calls([write.command for write in writes])
        for write, answer in zip(writes, answers, strict=True):
            self._answered(write, answer)

    @property
    def waits(self) -> bool:
        """Whether there are writes that wait."""
        return bool(self._waiting)

    def posted(self) -> list[Envelope]:
        """Return the messages put into the outbox since this was asked last, oldest first."""
        found, self._posted = self._posted, []
        return found

    def acquire(self, holder: str, seconds: float) -> int:
        """Return the new epoch, 0 while another scheduler holds its own."""
        names = [keys.EPOCH, keys.SCHEDULER]
        self.epoch = int(self.call("acquire", names, [holder, int(seconds * 1000)]))
        self.holder = holder
        return self.epoch

    def hold(self, seconds: float) -> None:
        """Keep the epoch for some more seconds."""
        names = [keys.EPOCH, keys.SCHEDULER]
        self._write("hold", names, [self.holder, int(seconds * 1000)])

    def release(self) -> None:
        """Let the next scheduler start at once."""
        self._write("release", [keys.EPOCH, keys.SCHEDULER], [])

    def ack(self, *events: str) -> None:
        """Delete events that have been dealt with."""
        for start in range(0, len(events), ACKED):
            self._write("ack", [keys.EPOCH, keys.EVENTS], events[start : start + ACKED])

    def send(
        self, session: str, step: str, record: StepState, message: Envelope, ack: str = ""
    ) -> bool:
        """Record an attempt as SENT and put its message into the outbox.

        Returns False for a session that has ended. Raises OutOfStep unless the ledger's last
        attempt is the one before.
        """
        names = [keys.EPOCH, keys.EVENTS, keys.home(session, step), keys.steps(session)]
        names += [keys.BEATS, keys.OUTBOX]
        args: list[Any] = [ack, step, record.attempt, _json(record), message.json()]
        args += [keys.step_beat(session, step, record.attempt - 1)]
        return self._write("send", names, args, (session, step), message) == "OK"

    def published(self, count: int) -> None:
        """Take the oldest messages, which Celery has, out of the outbox."""
        self._taken += 1
        self._write("published", [keys.EPOCH, keys.OUTBOX, keys.TAKEN], [count, self._taken])

    def bind(self, session: str, step: str, attempt: int, ref: str, ack: str = "") -> bool:
        """Bind a verified output to its step, once; False for a session that has ended."""
        names = [keys.EPOCH, keys.EVENTS, keys.session(session), keys.steps(session)]
        args = [ack, step, attempt, ref]
        return self._write("bind", [*names, keys.nodes(session)], args, (session, step)) == "OK"

    def give_up(self, session: str, step: str, attempt: int, tries: int) -> None:
        """Note that an attempt came to nothing: what it brings is not wanted any more."""
        names = [keys.EPOCH, keys.steps(session)]
        self._write("give_up", names, [step, attempt, tries])

    def unbind(self, session: str, step: str) -> None:
        """Forget the output of a step, whose blob is gone: it is to be made again."""
        names = [keys.EPOCH, keys.session(session), keys.steps(session), keys.nodes(session)]
        self._write("unbind", names, [step])

    def gathered(self, session: str, found: Gathered) -> None:
        """Note what a set has come to, if its session still runs."""
        self._write("gathered", [keys.EPOCH, keys.session(session)], [" ".join(found)])

    def discard(self, session: str) -> None:
        """Forget what came of a session's execution: the guest has to run once more."""
        names = [keys.EPOCH, keys.session(session), keys.segments(session)]
        self._write("discard", [*names, keys.nodes(session), keys.steps(session)], [])

    def close(self, end: Close, ack: str = "") -> None:
        """End a session; SUCCEEDED keeps its receipt as the answer for equal jobs."""
        names = [keys.EPOCH, keys.EVENTS, keys.SESSIONS, keys.answer(end.job_key)]
        args = [ack, end.session, end.state, *_why(end.error), end.receipt, end.journal]
        args.append(_json(end.stats))
        names += keys.inner(end.session)
        self._write("close", names, [*args, keys.KEPT, keys.RETAINED])

    def finish(self, end: Finish, ack: str = "") -> bool:
        """Return whether the job was open and has ended now."""
        names = [keys.EPOCH, keys.EVENTS, keys.job(end.job), keys.changes(end.job), keys.OPEN]
        names += [keys.SESSIONS, keys.answer(end.job_key), *keys.inner(end.session)]
        names += [keys.TENANTS, keys.OPEN_SETS]
        args = [ack, end.receipt, end.journal, _json(end.stats), end.job, end.session, end.state]
        args += [*_why(end.error), str(end.error or "verified and kept")]
        return self._write("finish", names, [*args, keys.RETAINED, keys.KEPT]) == "OK"

    def reattach(self, job: JobFacts, failed: str) -> None:
        """Let a job whose own limits are others than those that failed go on in a session anew."""
        self.flush()
        while True:
            try:
                spec = self.spec(job.id)
            except (TypeError, ValueError):  # removed since, or nobody can read it
                return
            key = self.read("HGET", keys.job(job.id), "key")
            running = self.read("HGET", keys.answer(key), "session") or ""
            name = running or session_name(spec)
            names = [keys.EPOCH, keys.EVENTS, keys.job(job.id), keys.answer(key), keys.SESSIONS]
            names += [keys.session(name), keys.waiters(name), keys.waiters(failed)]
            args = [job.id, name, _json(spec), key, running]
            if self._now(Write(self._command("reattach", names, args), "reattach")) != "RETRY":
                return

    def progress(self, jobs: Iterable[str], **entry: str | int) -> None:
        """Add an entry to the changes of jobs that are open; they are RUNNING from then on."""
        names = [keys.EPOCH]
        for job in jobs:
            names += [keys.job(job), keys.changes(job)]
        fields = [part for pair in entry.items() for part in pair]
        self._write("progress", names, fields)

    def slot_gone(self, slot: str, incarnation: str) -> bool:
        """Give up a slot; False when it has announced itself again meanwhile."""
        args = [slot, incarnation, keys.slot_beat(slot)]
        return self._write("slot_gone", [keys.EPOCH, keys.SLOTS, keys.BEATS], args) == "OK"

    def forget_beats(self, fields: Sequence[str]) -> None:
        """Drop counters that nobody watches."""
        if fields:
            self._write("forget_beats", [keys.EPOCH, keys.BEATS], fields)

    def trace_fail(self, batch: str, error: FarmError) -> None:
        """End a batch one of whose chunks cannot be computed."""
        args = [batch, State.FAILED, *_why(error), keys.KEPT, keys.SCRATCH]
        self._write("trace_fail", [keys.EPOCH, *batch_keys(batch)], args)

    def models(self) -> Models:
        """Return the cost models as they were kept last."""
        return Models(pairs(self.read("HGETALL", keys.MODELS)))

    def observations(self) -> list[Noted]:
        """Return what steps have cost, oldest first; a good deal of it, if there is more.

        Raises ValueError for what is no text.
        """
        found = self.read("XRANGE", keys.OBSERVATIONS, "-", "+", "COUNT", LESSON)
        return [Noted(id, pairs(fields)) for id, fields in found]

    def learned(self, last: str, models: Mapping[str, str]) -> None:
        """Keep models that have learned from the observations up to `last`, and drop these.

        All observations there are, if `last` is empty.
        """
        stamp, _, number = last.partition("-")
        keep = f"{stamp}-{int(number) + 1}" if last else LATEST
        parts = [part for pair in models.items() for part in pair]
        names = [keys.EPOCH, keys.OBSERVATIONS, keys.MODELS]
        self._write("learned", names, [keep, *parts])

    def _write(
        self,
        name: str,
        names: Sequence[str],
        args: Sequence[Any],
        about: tuple[str, str] | None = None,
        message: Envelope | None = None,
    ) -> str:
        write = Write(self._command(name, names, args), name, about, message)
        if self._waiting is None:
            return self._now(write)
        self._waiting.append(write)
        return LATER

    def _command(self, name: str, names: Sequence[str], args: Sequence[Any]) -> tuple[Any, ...]:
        return self.command(name, names, [self.epoch, *args])

    def _now(self, write: Write) -> str:
        return self._answered(write, self.calls([write.command])[0])

    def _answered(self, write: Write, answer: object) -> str:
        if answer == "STALE":
            raise StaleEpoch(self.epoch)
        if answer == "DIFFERS" and write.about:
            session, step = write.about
            raise OutOfStep(write.name, step, session)
        if answer == "OK" and write.message:
            self._posted.append(write.message)
        return str(answer)


def _why(error: FarmError | None) -> tuple[str, str]:
    return (error.code, _json(list(error.facts))) if error else ("", "[]")


def _json(value: object) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()
