"""Turn what the ledger has noted, or has, into events for the scheduler.

An event of the ledger is a hint: what it is about may be over by the time it is read, so
everything but the facts that an event carries itself is read anew.
"""

from bisect import bisect_right
from collections.abc import Callable, Container, Iterator, Mapping

import msgspec
import structlog

from farm import events as e
from farm.outbox import Envelope
from farm.session import SessionFacts, StepState
from farm.snapshot import Noted, Snapshot
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord

log = structlog.get_logger()

#: How many segments' worth of sessions are compared with the ledger at a time.
COMPARED = 1000


class Hints:
    """Reads the ledger for one scheduler."""

    def __init__(self, ledger: Snapshot) -> None:
        self._ledger = ledger
        self._compared = ""
        #: Why a session that runs cannot be read.
        self._unread: dict[str, Exception] = {}

    def reads(self, noted: Noted) -> bool:
        """Return whether what the ledger has is read for this event, not the event alone."""
        return noted.fields.get("type") in ("job", "slot")

    def of(self, noted: Noted, known: Container[str]) -> e.Event | None:
        """Return the event that was noted, None when it is over or none of the scheduler's.

        `known` are the sessions that the scheduler remembers.
        """
        fields = noted.fields
        try:
            if fields["type"] == "job":
                return self._job(fields, known)
            return _READERS[fields["type"]](self, fields)
        except (KeyError, TypeError, ValueError) as error:
            # One event that cannot be read must not stop all the others.
            log.warning("event dropped", fields=fields, error=str(error))
            return None

    def everything(self) -> Iterator[e.Event]:
        """Return all there is, to begin with."""
        waiting: set[str] = set()
        for slot in self._ledger.slots():
            yield e.SlotSeen(slot)
        for name in self._ledger.sessions():
            if facts := self._session(name):
                waiting.update(job.id for job in facts.waiters)
                yield e.SessionSeen(facts)
        yield e.Restored()
        yield from self.orphans(waiting)

    def slots(self, known: set[str]) -> Iterator[e.Event]:
        """Return the slots as they are; `known` are the scheduler's."""
        up = {slot.name: slot for slot in self._ledger.slots()}
        yield from map(e.SlotSeen, up.values())
        yield from (e.SlotGone(name) for name in sorted(known - up.keys()))

    def sessions(self, known: Mapping[str, int]) -> Iterator[e.Event]:
        """Return sessions that are new or over, and some of the others, in turn.

        `known` are the scheduler's, and how many segments each has.
        """
        there = self._ledger.sessions()
        new = [name for name in there if name not in known]
        for name in new + self._turn([name for name in there if name in known], known):
            if facts := self._session(name):
                yield e.SessionSeen(facts)
        yield from (e.SessionGone(name) for name in sorted(known.keys() - set(there)))

    def _turn(self, names: list[str], sizes: Mapping[str, int]) -> list[str]:
        """Return the next few of some names, so that the cost of a look does not grow with them."""
        start, room = bisect_right(names, self._compared), COMPARED
        end = start
        while end < len(names) and room > 0:
            room -= 1 + sizes[names[end]]
            end += 1
        self._compared = names[end - 1] if end < len(names) else ""
        return names[start:end]

    def orphans(self, waiting: set[str]) -> Iterator[e.Event]:
        """Return jobs that are open though their session has ended, or that cannot be read."""
        for job in sorted(self._ledger.open_jobs() - waiting):
            if orphan := self._orphan(job):
                yield orphan

    def _orphan(self, job: str) -> e.Orphaned | None:
        try:
            if error := self._unread.get(self._ledger.session_of(job)):
                return self._ledger.unreadable(job, error)
            return self._ledger.orphan(job)
        except (KeyError, TypeError, ValueError) as error:
            # One job that cannot be read must not stop the scheduler for all the others.
            log.warning("job not read", job=job, error=str(error))
            return self._ledger.unreadable(job, error)

    def _job(self, fields: dict[str, str], known: Container[str]) -> e.Event | None:
        if fields["session"] in known:
            waiting = self._ledger.waiting([fields["job"]])
            return e.JobJoined(fields["session"], waiting[0]) if waiting else None
        if facts := self._session(fields["session"]):
            return e.SessionSeen(facts)
        # The session may have ended just before the job could be told.
        return self._orphan(fields["job"]) if "job" in fields else None

    def _session(self, name: str) -> SessionFacts | None:
        self._unread.pop(name, None)
        try:
            return self._ledger.session(name)
        except (KeyError, ValueError) as error:
            log.warning("session not read", session=name, error=str(error))
            self._unread[name] = error  # its jobs are ended as orphans
            return None

    def _left(self, fields: dict[str, str]) -> e.Event:
        return e.JobLeft(fields["session"], fields["job"])

    def _slot(self, fields: dict[str, str]) -> e.Event:
        slot = self._ledger.slot(fields["slot"])
        return e.SlotSeen(slot) if slot else e.SlotGone(fields["slot"])

    def _segment(self, fields: dict[str, str]) -> e.Event:
        record = msgspec.json.decode(fields["record"], type=SegmentRecord)
        attempt, index = int(fields["attempt"]), int(fields["index"])
        return e.SegmentFound(fields["session"], attempt, index, record)

    def _keccak(self, fields: dict[str, str]) -> e.Event:
        record = msgspec.json.decode(fields["record"], type=KeccakRecord)
        attempt, index = int(fields["attempt"]), int(fields["index"])
        return e.KeccakFound(fields["session"], attempt, index, record)

    def _executed(self, fields: dict[str, str]) -> e.Event:
        record = msgspec.json.decode(fields["record"], type=ExecutedRecord)
        return e.Executed(fields["session"], int(fields["attempt"]), record)

    def _step(self, fields: dict[str, str]) -> e.Event:
        record = msgspec.json.decode(fields["record"], type=StepState)
        return e.StepReported(fields["session"], fields["step"], record)

    def _chunk(self, fields: dict[str, str]) -> e.Event:
        message = Envelope.read(fields["message"])
        known = message.kwargs["args"]
        return e.ChunkWaits(message, int(known["rows"]), int(known["steps"]))


_READERS: dict[str, Callable[[Hints, dict[str, str]], e.Event]] = {
    "left": Hints._left,
    "slot": Hints._slot,
    "segment": Hints._segment,
    "keccak": Hints._keccak,
    "executed": Hints._executed,
    "step": Hints._step,
    "chunk": Hints._chunk,
}
