"""Decide which chunks of trace batches to send again. Pure.

The client sends the chunks itself, to a queue that all trace workers share, and the workers
bind the results. What is left for the scheduler is what got lost: a chunk whose worker is gone,
one that failed and may be tried again, and a message that nobody has.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from farm import keys
from farm.errors import FarmError, Transient, WorkerLost
from farm.outbox import Envelope
from farm.session import Slot, StepState

#: Shortest time that a leased chunk's beat may stand still before it is sent again.
LEASED_SECONDS = 60.0

Attempt = tuple[str, str, int]
Batches = Mapping[str, Mapping[str, StepState]]
Records = Mapping[Attempt, StepState]


@dataclass(frozen=True, slots=True)
class Resend:
    """Send a chunk once more."""

    batch: str
    step: str
    record: StepState
    message: Envelope


@dataclass(frozen=True, slots=True)
class Fail:
    """End a batch one of whose chunks cannot be computed."""

    batch: str
    error: FarmError


class Chunks:
    """What was seen of the running batches, and how long nothing has moved."""

    def __init__(self, attempts: int, patience: float) -> None:
        self._attempts, self._patience = attempts, patience
        self._moved: tuple[object, float] = (None, 0.0)
        self._lease_limit = max(3 * patience, LEASED_SECONDS)
        #: The beat of each lease, and when it was first seen, by this process's own clock.
        self._leased: dict[Attempt, tuple[int | None, float]] = {}
        #: The last look before each attempt was seen, and the look that saw it first.
        self._first: dict[Attempt, tuple[float, float]] = {}
        self._looked = self._overtaken = -math.inf

    def look(
        self,
        now: float,
        batches: Batches,
        slots: Mapping[str, Slot],
        beats: Mapping[str, int] | None = None,
    ) -> list[Resend | Fail]:
        """Return what to do about chunks that are lost; `beats` are the ledger's counters."""
        records = {
            (batch, step, record.attempt): record
            for batch, steps in batches.items()
            for step, record in steps.items()
        }
        lost = self._late(now, records, beats or {})
        unheard = self._unheard(now, records)
        if any(slot.kind == "trace" for slot in slots.values()):
            lost |= unheard
        found = [self._chunk(key, record, slots, lost) for key, record in records.items()]
        return [one for one in found if one]

    def _late(self, now: float, records: Records, beats: Mapping[str, int]) -> set[Attempt]:
        # A worker may live on without its chunk: the answer to its lease got lost, say.
        leased = {}
        for key, record in records.items():
            if record.state == "LEASED":
                beat = beats.get(keys.step_beat(*key))
                before = self._leased.get(key)
                leased[key] = before if before and before[0] == beat else (beat, now)
        self._leased = leased
        return {key for key, (_, since) in leased.items() if now - since > self._lease_limit}

    def _unheard(self, now: float, records: Records) -> set[Attempt]:
        # A chunk may wait long behind others. It is lost once what was sent later has been taken,
        # for all wait in one line; or when no chunk at all moves.
        stuck = self._stuck(now, records)
        self._first = {key: self._first.get(key, (self._looked, now)) for key in records}
        self._looked = now
        taken = [self._first[key][0] for key, one in records.items() if one.state != "SENT"]
        self._overtaken = max([self._overtaken, *taken])
        return {
            key
            for key, (_, seen) in self._first.items()
            if records[key].state == "SENT"
            and now - seen > self._patience
            and (stuck or seen <= self._overtaken)
        }

    def _stuck(self, now: float, records: Records) -> bool:
        state = {(key, record.state) for key, record in records.items()}
        if state != self._moved[0]:
            self._moved = (state, now)
        return now - self._moved[1] > self._patience

    def _chunk(
        self, key: Attempt, record: StepState, slots: Mapping[str, Slot], lost: set[Attempt]
    ) -> Resend | Fail | None:
        if record.state == "LEASED":
            slot = slots.get(record.slot)
            gone = slot is None or slot.incarnation != record.incarnation
            if gone or key in lost:
                return self._again(key, record, WorkerLost(key[1], record.slot), tried=True)
        elif record.state == "FAILED":
            error = FarmError.named(record.code, msgspec.json.decode(record.facts))
            if not isinstance(error, Transient):
                return Fail(key[0], error)
            return self._again(key, record, error, tried=True)
        elif record.state == "SENT" and key in lost:
            return self._again(key, record, WorkerLost(key[1], "none"), tried=False)
        return None

    def _again(
        self, key: Attempt, record: StepState, error: FarmError, *, tried: bool
    ) -> Resend | Fail:
        batch, step, _ = key
        tries, attempt = record.tries + tried, record.attempt + 1
        if tries >= self._attempts:
            return Fail(batch, error)
        message = Envelope.read(record.message).again(attempt)
        sent = StepState(state="SENT", attempt=attempt, tries=tries, message=message.json())
        return Resend(batch, step, sent, message)
