"""What a client asks for, and what became of it: frozen values.

Pure. The id of a job is made by the client, so that a submission sent twice is one job.
"""

import secrets
from enum import StrEnum

import msgspec

from farm.errors import FarmError, JobFailed


class State(StrEnum):
    """Where a job is; RUNNING and the last three are also the states of sessions and batches."""

    BUFFERED = "BUFFERED"
    ACCEPTED = "ACCEPTED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    ABORTED = "ABORTED"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self not in (State.BUFFERED, State.ACCEPTED, State.RUNNING)


def new_id(letter: str = "j") -> str:
    """Return a fresh id: of a job, or with another letter of something else."""
    return letter + secrets.token_hex(6)


def new_seed() -> str:
    """Return what the random bytes of one guest may come of: 64 hex digits nobody can guess."""
    return secrets.token_hex(32)


class Asked(msgspec.Struct, frozen=True):
    """One that is asked to be in a set: a receipt by its reference, or a job by its id."""

    name: str
    #: Of which program it is said to be; "" for whatever its receipt shows.
    image_id: str = ""
    #: Why it cannot be in the set, where the client could tell.
    code: str = ""
    facts: list[object] = []


class JobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One request: prove that this program, fed this input, puts out its journal."""

    id: str
    namespace: str = "default"
    #: "risc0" is proved; "trace" and "execute" are only executed, a trace with a commitment;
    #: "simulated" is neither, but goes the way of "risc0".
    kind: str = "risc0"
    #: "succinct", "composite" or "groth16"; of what is not proved, its kind again.
    receipt: str = "succinct"
    image_id: str
    program: str
    input: str
    #: What the guest may rely on: references of receipts, ids of jobs whose receipts they will be.
    assumptions: list[str] = []
    #: Of a set of receipts: who is to be in it. What its guest reads comes of them, not of `input`.
    members: list[Asked] = []
    #: Whether its program takes a list of inputs, of which `input` is one.
    batch: bool = False
    #: Of a job of the farm's own: the sessions whose work it does, and their inputs.
    carries: list[str] = []
    inputs: list[str] = []
    po2: int
    cycle_limit: int
    input_limit: int
    #: What the random bytes of its guest come of, 64 hex digits: an execution that is repeated
    #: gives the same segments. With none they do not.
    seed: str = ""
    priority: int = 0
    #: Unix time after which the answer is of no use; None for never.
    deadline: float | None = None
    idempotency_key: str | None = None
    labels: dict[str, str] = {}
    #: The open set that it joins once it has its receipt, and what it is worth there.
    aggregate: str = ""
    value: float = 0.0

    @property
    def relied_on(self) -> list[str]:
        """What has to be there before its guest is executed: receipts and jobs."""
        return [*self.assumptions, *(one.name for one in self.members if not one.code)]

    @property
    def proved(self) -> bool:
        """Whether anything is proved of what the guest does."""
        return self.kind not in ("trace", "execute")


class Admission(msgspec.Struct, frozen=True):
    """What became of a submission: the job's id (an older one for a repeated request)."""

    job: str
    state: State
    #: Whether a kept answer was given at once.
    answered: bool = False
    #: Whether the job shares a session that was running already.
    attached: bool = False


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """A job as the ledger has it; times are unix seconds, 0 for not yet."""

    id: str
    state: State
    spec: JobSpec
    session: str = ""
    created: float = 0
    started: float = 0
    finished: float = 0
    #: References of the receipt and the journal once SUCCEEDED; of what was only executed, the
    #: journal twice.
    receipt: str = ""
    journal: str = ""
    stats: dict[str, object] = {}
    code: str = ""
    facts: list[object] = []
    #: The job that makes the set which this one is in.
    set: str = ""

    def error(self) -> FarmError | None:
        """Return why the job ended without a receipt, None if it did not.

        A failure of a known class comes back as that class (a CycleLimitReached, say).
        """
        if not self.state.ended or self.state is State.SUCCEEDED:
            return None
        if not self.code:
            return JobFailed(self.id, "why is not known any more")
        return FarmError.named(self.code, self.facts)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a job's changes; `id` is where to read on from."""

    id: str
    state: State
    segments: int = 0
    #: Whether `segments` is final: the guest has ended.
    segments_known: bool = False
    proved: int = 0
    folds: int = 0
    #: How many folds there will have been; 0 while that is not known.
    folds_due: int = 0
    #: Requests for the keccak circuit; `segments_known` says whether there may be more.
    keccaks: int = 0
    keccaks_proved: int = 0
    #: Of a set: who was asked for, and how many of them are there.
    members: int = 0
    members_ready: int = 0
    #: Of a trace batch: its id, chunks done of `segments`, the chunk done just now and its result.
    batch: str = ""
    done: int = 0
    step: str = ""
    ref: str = ""
    text: str = ""


class BatchView(msgspec.Struct, frozen=True, kw_only=True):
    """A trace batch as the ledger has it.

    `inputs` has the references of what was uploaded for it, `nodes` the result of each chunk that
    is done.
    """

    id: str
    state: State
    namespace: str = "default"
    program: str
    count: int
    chunks: int
    done: int = 0
    created: float = 0
    finished: float = 0
    inputs: list[str] = []
    nodes: dict[str, str] = {}
    code: str = ""
    facts: list[object] = []

    def error(self) -> FarmError | None:
        """Return why the batch ended without its results, None if it did not."""
        return FarmError.named(self.code, self.facts) if self.code else None
