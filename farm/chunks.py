"""Decide which chunks of trace batches to send again. Pure.

The client sends the chunks itself, to a queue that all trace workers share, and the workers
bind the results. What is left for the scheduler is what got lost: a chunk whose worker is gone,
one that failed and may be tried again, and a message that nobody has.
"""

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

    def look(
        self,
        now: float,
        batches: Batches,
        slots: Mapping[str, Slot],
        beats: Mapping[str, int] | None = None,
    ) -> list[Resend | Fail]:
        """Return what to do about chunks that are lost; `beats` are the ledger's counters."""
        late = self._late(now, batches, beats or {})
        stuck = self._stuck(now, batches) and any(s.kind == "trace" for s in slots.values())
        found = [
            self._chunk(batch, step, record, slots, stuck, late)
            for batch, steps in batches.items()
            for step, record in steps.items()
        ]
        return [one for one in found if one]

    def _late(self, now: float, batches: Batches, beats: Mapping[str, int]) -> set[Attempt]:
        # A worker may live on without its chunk: the answer to its lease got lost, say.
        leased = {}
        for batch, steps in batches.items():
            for step, record in steps.items():
                if record.state == "LEASED":
                    key = (batch, step, record.attempt)
                    beat = beats.get(keys.step_beat(*key))
                    before = self._leased.get(key)
                    leased[key] = before if before and before[0] == beat else (beat, now)
        self._leased = leased
        return {key for key, (_, since) in leased.items() if now - since > self._lease_limit}

    def _stuck(self, now: float, batches: Batches) -> bool:
        # A chunk may wait long behind others. Only when no chunk at all moves is one lost.
        state = {
            (batch, step, record.state, record.attempt)
            for batch, steps in batches.items()
            for step, record in steps.items()
        }
        if state != self._moved[0]:
            self._moved = (state, now)
        return now - self._moved[1] > self._patience

    def _chunk(
        self,
        batch: str,
        step: str,
        record: StepState,
        slots: Mapping[str, Slot],
        stuck: bool,
        late: set[Attempt],
    ) -> Resend | Fail | None:
        if record.state == "LEASED":
            slot = slots.get(record.slot)
            gone = slot is None or slot.incarnation != record.incarnation
            if gone or (batch, step, record.attempt) in late:
                lost = WorkerLost(step, record.slot)
                return self._again(batch, step, record, lost, tried=True)
        elif record.state == "FAILED":
            error = FarmError.named(record.code, msgspec.json.decode(record.facts))
            if not isinstance(error, Transient):
                return Fail(batch, error)
            return self._again(batch, step, record, error, tried=True)
        elif record.state == "SENT" and stuck:
            return self._again(batch, step, record, WorkerLost(step, "none"), tried=False)
        return None

    def _again(
        self, batch: str, step: str, record: StepState, error: FarmError, *, tried: bool
    ) -> Resend | Fail:
        tries, attempt = record.tries + tried, record.attempt + 1
        if tries >= self._attempts:
            return Fail(batch, error)
        message = Envelope.read(record.message).again(attempt)
        sent = StepState(state="SENT", attempt=attempt, tries=tries, message=message.json())
        return Resend(batch, step, sent, message)
