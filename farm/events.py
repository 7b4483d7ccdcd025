"""What the scheduler is told, and what it says in return. Pure values.

Events are hints made from the ledger; each instruction is one change of the ledger, or one
piece of work for the verifier.
"""

from dataclasses import dataclass, field
from typing import Any

from farm.errors import FarmError
from farm.job import State
from farm.outbox import Envelope
from farm.session import JobFacts, SessionFacts, Slot, StepState
from farm.wire import Assumed, ExecutedRecord, KeccakRecord, SegmentRecord, StepMessage


class Event:
    """Something that has happened."""


class Instruction:
    """Something to be done now, in the order given."""


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
class ChunkWaits(Event):
    """A small chunk of a trace batch waits to be sent; for who regroups, not for the scheduler."""

    message: Envelope
    rows: int
    steps: int


@dataclass(frozen=True, slots=True)
class Send(Instruction):
    """Send a step to the slot that its message names."""

    message: StepMessage
    record: StepState


@dataclass(frozen=True, slots=True)
class Verify(Instruction):
    """Check an output against the claim that was recorded when the guest was executed."""

    session: str
    step: str
    attempt: int
    ref: str
    claim: str
    #: What kind of receipt it is, in the words of the host's `verify`.
    form: str = "succinct"


@dataclass(frozen=True, slots=True)
class Bind(Instruction):
    """Bind a verified output to its step."""

    session: str
    step: str
    attempt: int
    ref: str


@dataclass(frozen=True, slots=True)
class Discard(Instruction):
    """Forget segments and outputs of a session: its guest has to run once more."""

    session: str


@dataclass(frozen=True, slots=True)
class Unbind(Instruction):
    """Forget an output that is gone from the store."""

    session: str
    step: str


@dataclass(frozen=True, slots=True)
class Finalize(Instruction):
    """Make the Receipt out of the root and the journal.

    A composite one has the receipts of all segments and assumptions for roots.
    """

    session: str
    image_id: str
    roots: tuple[str, ...]
    journal: str
    kind: str = "succinct"
    assumptions: tuple[Assumed, ...] = ()


@dataclass(frozen=True, slots=True)
class Commit(Instruction):
    """Make the trace Receipt of a guest that was only executed: a commitment to what it did."""

    session: str
    image_id: str
    #: Digest of the guest's stdin.
    input: str
    journal: str
    #: The guest's own cycles.
    cycles: int


@dataclass(frozen=True, slots=True)
class Close(Instruction):
    """End a session."""

    session: str
    job_key: str
    state: State
    error: FarmError | None = None
    receipt: str = ""
    journal: str = ""
    stats: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Orphaned(Event):
    """A job still waits for a session that has ended: the scheduler before died in between."""

    job: JobFacts
    end: Close


@dataclass(frozen=True, slots=True)
class Finish(Instruction):
    """End a job."""

    job: str
    session: str
    job_key: str
    state: State
    error: FarmError | None = None
    receipt: str = ""
    journal: str = ""
    stats: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reattach(Instruction):
    """Let a job with other limits than those that failed go on by itself."""

    job: JobFacts
    session: str


@dataclass(frozen=True, slots=True)
class Progress(Instruction):
    """Tell the waiters how far their session is."""

    session: str
    jobs: tuple[str, ...]
    entry: dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Strike(Instruction):
    """Note that a slot has delivered what it should not."""

    slot: str
    error: FarmError
