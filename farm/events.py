"""What the scheduler is told. Pure values: hints made from the ledger."""

from dataclasses import dataclass

from farm.errors import FarmError
from farm.instructions import Close
from farm.outbox import Envelope
from farm.session import Gathered, JobFacts, SessionFacts, Slot, StepState
from farm.set_builder import Member
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord


class Event:
    """Something that has happened."""


@dataclass(frozen=True, slots=True)
class SlotSeen(Event):
    """A slot is up, perhaps as another process than before."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class SlotGone(Event):
    """A slot has stopped to answer, or left."""

    slot: str


@dataclass(frozen=True, slots=True)
class SessionSeen(Event):
    """A session as the ledger has it: new, or to be compared with what is remembered."""

    facts: SessionFacts


@dataclass(frozen=True, slots=True)
class Restored(Event):
    """All slots and sessions of the ledger have been seen: what is free is known from now on."""


@dataclass(frozen=True, slots=True)
class SessionGone(Event):
    """The ledger says that a session runs no more."""

    session: str


@dataclass(frozen=True, slots=True)
class JobJoined(Event):
    """Another job waits for a session."""

    session: str
    job: JobFacts


@dataclass(frozen=True, slots=True)
class JobLeft(Event):
    """A job waits no more; the ledger knows."""

    session: str
    job: str


@dataclass(frozen=True, slots=True)
class DeadlinePassed(Event):
    """A job that still waits has run out of time."""

    session: str
    job: str


@dataclass(frozen=True, slots=True)
class SegmentFound(Event):
    """An execution has recorded a segment."""

    session: str
    attempt: int
    index: int
    record: SegmentRecord


@dataclass(frozen=True, slots=True)
class KeccakFound(Event):
    """An execution has recorded what its guest wants hashed by the keccak circuit."""

    session: str
    attempt: int
    index: int
    record: KeccakRecord


@dataclass(frozen=True, slots=True)
class Executed(Event):
    """A guest has ended well."""

    session: str
    attempt: int
    record: ExecutedRecord


@dataclass(frozen=True, slots=True)
class StepReported(Event):
    """A worker has an output, or says why not: `record` is what the ledger has of the step."""

    session: str
    step: str
    record: StepState


@dataclass(frozen=True, slots=True)
class StepLost(Event):
    """An attempt is not renewed any more, or nobody has taken its message."""

    session: str
    step: str
    attempt: int
    #: Whether it was leased: a message that got lost is nobody's failure.
    leased: bool


@dataclass(frozen=True, slots=True)
class Verified(Event):
    """An output proves what its step was to prove."""

    session: str
    step: str
    attempt: int
    ref: str


@dataclass(frozen=True, slots=True)
class Refused(Event):
    """An output does not, or cannot be read."""

    session: str
    step: str
    attempt: int
    error: FarmError


@dataclass(frozen=True, slots=True)
class Finalized(Event):
    """The root has become a Receipt, verified and stored; or not, and why."""

    session: str
    receipt: str = ""
    error: FarmError | None = None


@dataclass(frozen=True, slots=True)
class Inspected(Event):
    """A receipt proves that a program ended well with a journal; or why it cannot be in a set."""

    session: str
    ref: str
    #: The member, and the reference of its journal.
    shown: tuple[Member, str] | FarmError


@dataclass(frozen=True, slots=True)
class SetGathered(Event):
    """What the guest of a set reads is stored; or not, and why."""

    session: str
    gathered: Gathered | FarmError


@dataclass(frozen=True, slots=True)
class Uncarried(Event):
    """A job that was to carry these sessions could not be handed in."""

    sessions: tuple[str, ...]
    error: FarmError


@dataclass(frozen=True, slots=True)
class Divided(Event):
    """What came of each input of a list: its SHA-256, and the reference of its output."""

    session: str
    found: tuple[tuple[str, str], ...] | FarmError


@dataclass(frozen=True, slots=True)
class ChunkWaits(Event):
    """A small chunk of a trace batch waits to be sent; for who regroups, not for the scheduler."""

    message: Envelope
    rows: int
    steps: int


@dataclass(frozen=True, slots=True)
class Orphaned(Event):
    """A job still waits for a session that has ended: the scheduler before died in between."""

    job: JobFacts
    end: Close
