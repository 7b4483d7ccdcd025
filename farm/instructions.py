"""What the scheduler says. Pure values: one change of the ledger each, or work for the verifier."""

from dataclasses import dataclass, field
from typing import Any

from farm.errors import FarmError
from farm.job import JobSpec, State
from farm.members import Entry
from farm.session import Gathered, JobFacts, StepState
from farm.wire import Assumed, StepMessage


class Instruction:
    """Something to be done now, in the order given."""


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
class GiveUp(Instruction):
    """Note that an attempt came to nothing: who reads the ledger later must not wait for it."""

    session: str
    step: str
    attempt: int
    #: How many attempts have come to nothing.
    tries: int


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
class Inspect(Instruction):
    """Say of what program the receipt of a member is, if it holds and relies on nothing."""

    session: str
    ref: str
    image_id: str
    #: The kind that it has to be.
    kind: str


@dataclass(frozen=True, slots=True)
class Gather(Instruction):
    """Store what the guest of a set reads, and who is in the set."""

    session: str
    image_id: str
    members: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Carry(Instruction):
    """Hand in a job that does the work of these sessions in one execution."""

    sessions: tuple[str, ...]
    specs: tuple[JobSpec, ...]


@dataclass(frozen=True, slots=True)
class Divide(Instruction):
    """Store what a journal has of each input by itself."""

    session: str
    journal: str


@dataclass(frozen=True, slots=True)
class Keep(Instruction):
    """Note what was gathered for a set."""

    session: str
    gathered: Gathered


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
