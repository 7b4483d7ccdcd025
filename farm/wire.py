"""What travels between processes as JSON: the message of a step, and what a worker records.

Pure. Every message carries a version; there is no pickle anywhere. Bodies are blobs and
only their references travel here.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from farm.claim import Claim
from farm.errors import BadInput

#: Raised when the meaning of a field changes; a worker drops what it cannot read.
VERSION = 1


class StepMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attempt at one step, addressed to one slot: the keyword arguments of its task."""

    v: int = VERSION
    session: str
    job: str
    step: str
    kind: str
    attempt: int
    slot: str
    width: int = 1
    inputs: list[str] = []
    args: dict[str, Any] = {}
    limit_s: float

    def __str__(self) -> str:
        return f"job {self.job} {self.step.replace(':', ' ')} width {self.width}"

    def kwargs(self) -> dict[str, Any]:
        """Return the keyword arguments to send."""
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]


class SegmentRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One segment, as the execution that made it records it."""

    ref: str
    po2: int
    claim: Claim


class KeccakRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a guest wants hashed by the keccak circuit; `digest` is the claim of its proof."""

    ref: str
    po2: int
    digest: str


class Assumed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One assumption of a guest, in the order of resolving."""

    claim: str
    control_root: str
    #: Digest of the session's claim once this one is resolved.
    digest: str
    #: The receipt that the guest was given for it, "" for what the session proves itself.
    ref: str = ""


class ExecutedRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an execution ended, and where what it put out is kept."""

    image_id: str
    segments: int
    sys_exit: int
    user_exit: int
    cycles: dict[str, int]
    claim: Claim
    journal: str
    stdout: str
    stderr: str
    #: How many requests for the keccak circuit there are.
    keccaks: int = 0
    assumptions: list[Assumed] = []


def step_message(kwargs: dict[str, Any]) -> StepMessage:
    """Return the message a task was called with.

    Raises BadInput for one of another version or shape.
    """
    if kwargs.get("v") != VERSION:
        raise BadInput(f"step message of version {kwargs.get('v')}, this worker reads {VERSION}")
    try:
        return msgspec.convert(kwargs, StepMessage)
    except msgspec.ValidationError as error:
        raise BadInput(f"step message: {error}") from error


def together(messages: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the keyword arguments that carry those of several chunks of trace batches."""
    return {"v": VERSION, "chunks": list(messages)}


def chunk_messages(kwargs: dict[str, Any]) -> list[StepMessage]:
    """Return the chunks that the task `trace` was called with: one, or several `together`.

    Raises BadInput as `step_message` does.
    """
    if kwargs.get("v") != VERSION or "chunks" not in kwargs:
        return [step_message(kwargs)]
    chunks = kwargs["chunks"]
    if not isinstance(chunks, list) or not all(isinstance(one, dict) for one in chunks):
        raise BadInput("step message: its chunks are no list of messages")
    return [step_message(one) for one in chunks]
