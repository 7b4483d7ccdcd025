"""Name sessions, steps and spans, and hold what the ledger records of them.

Pure. A session is one execution of a guest. Its identity is a digest of all that decides how
it goes; its name adds the job that started it, so that a session started again after a
failure shares no record with the one before.
"""

import re
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from farm.errors import BadInput
from farm.job import JobSpec, State
from farm.settings import ZKVM
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord

#: How many hex digits of a digest a name carries.
_DIGITS = 32
_SPANNED = re.compile(r"([a-z0-9]+):(\d+)-(\d+)")


class Span(NamedTuple):
    """Segments `start` up to, not including, `end`."""

    start: int
    end: int

    def __str__(self) -> str:
        return f"{self.start}-{self.end}"


def _digest(parts: list[object]) -> str:
    return sha256(msgspec.json.encode(parts)).hexdigest()[:_DIGITS]


def identity(spec: JobSpec) -> str:
    """Return the session id: equal ids mean the same segments, limits and failures."""
    limits = [spec.po2, spec.cycle_limit, spec.input_limit]
    return _digest(["session", *_asked(spec), *limits])


def job_key(spec: JobSpec) -> str:
    """Return what single flight and kept answers go by: limits and priority are not in it."""
    return _digest(["job", *_asked(spec), spec.receipt])


def _asked(spec: JobSpec) -> list[object]:
    digest = spec.input.partition("-")[0]
    relied_on = sorted(set(spec.assumptions))
    more = [part for part in (spec.members, spec.carries) if part]
    return [spec.kind, ZKVM, spec.namespace, spec.image_id, digest, relied_on, *more]


def session_name(spec: JobSpec) -> str:
    """Return the name of the session that this job starts, if it has to start one."""
    return f"{identity(spec)}.{spec.id}"


def same_limits(name: str, other_identity: str) -> bool:
    """Return whether the session `name` would go exactly as one of that identity."""
    return name.partition(".")[0] == other_identity


def step_name(kind: str, span: Span) -> str:
    """Return the name of a step over a span: "join:0-4"."""
    return f"{kind}:{span}"


@lru_cache(maxsize=1 << 15)
def parse_step(step: str) -> tuple[str, Span | None]:
    """Return kind and span of a step's name; "execute" has no span."""
    if step == "execute":
        return step, None
    found = _SPANNED.fullmatch(step)
    if not found:
        raise BadInput(f"step {step!r}: not a step's name")
    return found[1], Span(int(found[2]), int(found[3]))


def span_of(step: str) -> Span:
    """Return the span in the name of a step that has one."""
    span = parse_step(step)[1]
    assert span is not None
    return span


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """One slot, as its worker announces it; another incarnation is another process."""

    name: str
    #: "risc0" proves and folds, "execute" runs guests, "trace" computes traces.
    kind: str
    machine: str
    #: Cores the slot is pinned to, which it may lend (only "risc0" slots have any to lend).
    cores: list[int] = []
    #: Its memory holds segments of up to 2^this; 0 for no bound.
    po2: int = 0
    #: How many steps it works on at once: executions, or on a GPU the one that has it and those
    #: that are made ready meanwhile.
    lanes: int = 1
    incarnation: str
    pid: int = 0
    zkvm: str = ZKVM
    #: Version, mode and features of its host, by blanks.
    host: str = ""
    #: Version of its farm (farm/about.py).
    farm: str = ""

    @property
    def features(self) -> list[str]:
        """What its host was built with."""
        return self.host.split()[2:]


class StepState(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger's record of a step. Scalars only: Lua cannot tell an empty list from a dict."""

    #: SENT, LEASED, REPORTED (output not verified yet), DONE, FAILED, GONE (given up, or what it
    #: made is gone).
    state: str
    #: Counts sendings of the step; what carries an older number changes nothing.
    attempt: int
    #: How many attempts were leased and came to nothing.
    tries: int = 0
    slot: str = ""
    incarnation: str = ""
    token: str = ""
    width: int = 1
    #: Slots whose cores are lent to this step, joined by commas.
    lent: str = ""
    #: A look-ahead: waits in its slot behind another step.
    ahead: bool = False
    ref: str = ""
    code: str = ""
    facts: str = "[]"
    #: Of a chunk of a trace batch: the message, to be sent again.
    message: str = ""


class JobFacts(NamedTuple):
    """What the scheduler needs to know of a job that waits."""

    id: str
    seq: int
    priority: int
    deadline: float | None
    #: Session id by the job's own limits, which may be wider than those it shares.
    identity: str


class Relied(NamedTuple):
    """What the guest of a job may rely on: a receipt, or a job that is to make one."""

    #: Where the job is; of a receipt that was given, SUCCEEDED. None for a job there is not.
    state: State | None
    receipt: str = ""
    journal: str = ""


class Gathered(NamedTuple):
    """What a set has come to: what its guest reads, and who is in it (farm/members.py)."""

    input: str
    members: str


class SessionFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One running session, read from the ledger in one go."""

    name: str
    spec: JobSpec
    executed: ExecutedRecord | None
    segments: dict[int, SegmentRecord]
    keccaks: dict[int, KeccakRecord] = {}
    nodes: dict[str, str]
    steps: dict[str, StepState]
    waiters: list[JobFacts]
    #: The jobs that the guest relies on.
    relied: dict[str, Relied] = {}
    #: Of a set, once it is known who is in it.
    gathered: Gathered | None = None
