"""Look around, beat by beat: who stopped answering, what ran out of time, what an event lost."""

import time
from collections.abc import Iterator, Sequence

import msgspec
import structlog

from farm import keys
from farm.book import Book
from farm.chunks import Chunks, Fail, Resend
from farm.events import (
    DeadlinePassed,
    Event,
    JobJoined,
    SessionSeen,
    SlotGone,
    SlotSeen,
    StepLost,
    StepReported,
)
from farm.hints import Hints
from farm.lapse import Deadlines, Watch
from farm.losses import SETTLED
from farm.models import Models
from farm.scheduler import Scheduler
from farm.session import JobFacts, StepState
from farm.settings import Settings
from farm.snapshot import Noted

log = structlog.get_logger()

#: Every so many beats the ledger is compared with what is remembered ..
COMPARE = 5
#: .. and searched for what nobody remembers.
SEARCH = 30


class Rounds:
    """What one scheduler watches between events."""

    def __init__(self, settings: Settings, book: Book, hints: Hints, scheduler: Scheduler) -> None:
        self._book, self._hints, self._scheduler = book, hints, scheduler
        beat, missed = settings.beat_seconds, settings.missed_beats
        self._watch = Watch(beat, missed, settings.resend_seconds)
        self._chunks = Chunks(settings.attempts, settings.resend_seconds)
        self._deadlines = Deadlines()
        self._beats = 0
        #: The ledger's counters, as the last look found them.
        self._counters: dict[str, int] = {}
        self._idle: dict[str, int] = {}
        self._models: Models | None = None

    def note(self, event: Event) -> list[Event]:
        """Remember the deadlines that an event brings; read the steps that it loses.

        Returns those deadlines that have passed already.
        """
        if isinstance(event, SessionSeen):
            return self._timed(event.facts.name, event.facts.waiters)
        if isinstance(event, JobJoined):
            return self._timed(event.session, [event.job])
        if isinstance(event, SlotSeen | SlotGone):
            for key in self._scheduler.losing(event):
                if record := self._record(*key):
                    self._scheduler.floor.states[key] = record.state
        return []

    def _timed(self, session: str, jobs: Sequence[JobFacts]) -> list[Event]:
        self._deadlines.note(session, jobs)
        now = time.time()
        return [
            DeadlinePassed(session, job.id)
            for job in jobs
            if job.deadline is not None and job.deadline <= now
        ]

    def look(self, now: float, *, sent: bool) -> Iterator[Event]:
        """Return what one beat has brought; `sent` is False while the broker is away."""
        self._beats += 1
        self._counters = counters = self._book.beats()
        yield from self._lapsed(now, counters, sent)
        for session, job in self._deadlines.passed(time.time()):
            yield DeadlinePassed(session, job)
        if self._beats % COMPARE == 0:
            yield from self._hints.slots(set(self._scheduler.floor.slots))
            known = self._scheduler.courses.items()
            sizes = {name: len(course.segments) for name, course in known}
            yield from self._hints.sessions(sizes)
        if self._beats % SEARCH == 0:
            self._sweep(counters)
            courses = self._scheduler.courses.values()
            waiting = {(course.name, job) for course in courses for job in course.waiters}
            self._deadlines.keep(waiting)
            yield from self._hints.orphans({job for _, job in waiting})

    def chunks(self, now: float) -> list[Resend | Fail]:
        """Return what to do about lost chunks of trace batches; ask after `look`."""
        batches = {batch: self._book.chunks(batch) for batch in self._book.batches()}
        slots = self._scheduler.floor.slots
        return self._chunks.look(now, batches, slots, self._counters) if batches else []

    def learn(self) -> None:
        """Let the cost models learn from what workers have measured since, and keep them."""
        if self._models is None:
            self._models = self._book.models()
        before = self._models.dropped
        try:
            noted = self._book.observations()
        except ValueError as error:
            log.warning("observations dropped", error=str(error))
            self._book.learned("", {})
            return
        for one in noted:
            self._models.learn(one.fields.get("batch", ""))
        if noted:
            self._book.learned(noted[-1].id, self._models.changed())
        if self._models.dropped > before:
            log.warning("observations dropped", count=self._models.dropped - before)

    def _lapsed(self, now: float, counters: dict[str, int], sent: bool) -> Iterator[Event]:
        slots = {keys.slot_beat(name): slot for name, slot in self._scheduler.floor.slots.items()}
        steps = {
            keys.step_beat(*key, attempt): (*key, attempt)
            for key, attempt in self._scheduler.under_way().items()
        }
        for field, known in self._watch.look(now, [*slots, *steps], counters, sent=sent):
            if field in steps:
                yield from self._step(*steps[field], known=known)
            elif self._book.slot_gone(slots[field].name, slots[field].incarnation):
                yield SlotGone(slots[field].name)

    def _step(self, session: str, step: str, attempt: int, *, known: bool) -> Iterator[Event]:
        """Return what has become of a step that moves no more."""
        record = self._record(session, step)
        if record is None or record.attempt != attempt or record.state not in SETTLED:
            yield StepLost(session, step, attempt, known or _leased(record))
        elif record.state != "DONE":
            # Its event waits unread behind others, or got lost.
            yield StepReported(session, step, record)
        elif seen := self._hints.of(Noted("", {"type": "job", "session": session}), ()):
            yield seen

    def _record(self, session: str, step: str) -> StepState | None:
        text = self._book.read("HGET", keys.steps(session), step)
        try:
            return msgspec.json.decode(text, type=StepState) if text else None
        except ValueError:  # what cannot be read is done again, and written anew
            return None

    def _sweep(self, counters: dict[str, int]) -> None:
        """Drop counters of steps that have not moved since the last search."""
        steps = {field: n for field, n in counters.items() if field.startswith("step:")}
        still = [field for field, n in steps.items() if self._idle.get(field) == n]
        self._book.forget_beats(still)
        self._idle = steps


def _leased(record: StepState | None) -> bool:
    return record is not None and record.state == "LEASED"
