"""One trace batch in the ledger: hand it in, collect its results, hand in again what got lost.

Packed inputs go into the scratch store, then the entry into the ledger, then one small message a
chunk to the trace workers; the messages of small chunks are left to the scheduler. What a worker
loses, the scheduler sends again. Results leave the scratch store as they are taken.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from farm import parcels
from farm.blobs import ScratchStore
from farm.columns import Inputs, Outputs
from farm.errors import (
    BadTrace,
    BlobMissing,
    Busy,
    FarmError,
    InputTooLarge,
    JobFailed,
    LedgerDown,
    StoreFailed,
)
from farm.job import Change
from farm.ledger import TRACE_RETRY_SECONDS, Ledger
from farm.outbox import Envelope
from farm.pace import Pace
from farm.parcels import Part

#: How often a batch is handed in again because the scratch store lost some of it.
LOSSES = 3
#: Most results that are taken in one go.
TOGETHER = 8
#: From this many bytes on, room is asked for before anything is uploaded.
LARGE = 1 << 20

#: Hands messages to the broker.
Send = Callable[[Sequence[Envelope]], None]


@dataclass(frozen=True, slots=True)
class Intake:
    """Where trace batches are handed in, and what the operator allows them."""

    ledger: Ledger
    scratch: ScratchStore
    send: Send
    #: Time limit of a chunk, in seconds.
    limit_s: float
    pace: Pace
    #: Most bytes that all batches together may hold in the scratch store: over it a batch is
    #: refused, so that the messages of RISC0 steps still fit into the same server.
    held_limit: int


class Entry:
    """A batch under the name it has in the ledger: another one each time it is handed in.

    The scratch store forgets when it is restarted; the client has the inputs still.
    """

    def __init__(self, inputs: Inputs, intake: Intake, name: Callable[[], str]) -> None:
        self.inputs, self._intake, self._name = inputs, intake, name
        self.id = name()
        # Handed in again it is cut the same way: parts go by their number.
        self._limits = intake.pace.limits(inputs)
        self.parts: list[Part] = []
        #: The results by the part they are of.
        self.taken: dict[int, Outputs] = {}
        self._nodes: dict[str, str] = {}
        self._uploaded: list[Part] = []
        self._losses, self._next = 0, ""

    def submit(self, forget: Sequence[str] = ()) -> None:
        """Hand in all parts that are not taken yet; accepted once this returns.

        May be repeated. Raises Busy when there is no room for them, InputTooLarge when there
        never will be.
        """
        intake, limits = self._intake, self._limits
        size, cap = parcels.held(self.inputs, limits), intake.held_limit
        if size > cap:
            raise InputTooLarge(size, cap)
        # What was uploaded before may be in the ledger, and counted there.
        if size > LARGE and not self._uploaded:
            intake.ledger.trace_room(size, cap)
        # Kept from before, an answer got lost: the ledger may name just these.
        parts = list(self._uploaded)
        try:
            if not parts:
                for part in parcels.upload(
                    self.id, self.inputs, intake.scratch, self.taken, limits
                ):
                    parts.append(part)
                self._uploaded = parts
            self._record(parts, size, forget)
        except (Busy, StoreFailed) as error:
            self._drop(part.inputs for part in parts)
            self._uploaded = []
            if isinstance(error, Busy):
                raise
            raise Busy("the scratch server", "maxmemory", TRACE_RETRY_SECONDS) from error

    def _record(self, parts: list[Part], size: int, forget: Sequence[str]) -> None:
        intake, program = self._intake, self.inputs.program
        fresh = [part for at, part in enumerate(parts) if at not in self.taken]
        chunks = [parcels.chunk(self.id, program, part, intake.limit_s) for part in fresh]
        if chunks:
            intake.ledger.trace_submit(
                self.id,
                program,
                len(self.inputs),
                chunks,
                size=size,
                cap=intake.held_limit,
                forget=forget,
            )
        self.parts, self._nodes, self._uploaded = parts, {}, []
        # Accepted: what the broker does not take now, the scheduler sends later.
        with contextlib.suppress(LedgerDown):
            if messages := [chunk.message for chunk in chunks if not chunk.small]:
                intake.send(messages)

    def submit_again(self, error: BlobMissing) -> None:
        """Hand in what is missing under another name; raises `error` after too many losses."""
        if self._losses >= LOSSES:
            raise error
        # An answer may have got lost, and the ledger have it: then under the same name again.
        lost, self.id = self.id, self._next or self._name()
        before = [part.inputs for at, part in enumerate(self.parts) if at not in self.taken]
        try:
            self.submit()
        except FarmError as failure:
            self._next = self.id if isinstance(failure, LedgerDown) else ""
            self.id = lost
            raise
        self._losses, self._next = self._losses + 1, ""
        self._drop(before)
        with contextlib.suppress(FarmError):
            self._intake.ledger.trace_forget(lost)

    def collect(self, changes: Iterable[Change] = ()) -> bool:
        """Take the results that are there; return whether all are taken now.

        `changes` may name them, else the ledger is asked. Raises BlobMissing for those that the
        scratch store has lost, once all others are taken.
        """
        brought = {change.step: change.ref for change in changes if change.ref}
        self._nodes |= brought or self._intake.ledger.trace_view(self.id).nodes
        ready = [
            (at, part)
            for at, part in enumerate(self.parts)
            if at not in self.taken and part.step in self._nodes
        ]
        for start in range(0, len(ready), TOGETHER):
            self._take(ready[start : start + TOGETHER])
        return len(self.taken) == len(self.parts)

    def _take(self, ready: Sequence[tuple[int, Part]]) -> None:
        refs = [self._nodes[part.step] for _, part in ready]
        bodies = self._intake.scratch.take_all(refs, [part.inputs for _, part in ready])
        lost = None
        for (at, part), body in zip(ready, bodies, strict=True):
            if isinstance(body, BlobMissing):
                lost = body
            else:
                self.taken[at] = self._read(part, body)
        if lost:
            raise lost

    def _read(self, part: Part, body: bytes) -> Outputs:
        found = Outputs.unpack(body, f"{self.id} {part.step}")
        if len(found) != part.span.end - part.span.start:
            raise BadTrace(f"{part.step} of batch {self.id} came back with {len(found)} rows")
        return found

    def why(self) -> FarmError:
        """Return why the batch has ended without all its results; nothing of it is kept."""
        error = self._intake.ledger.trace_view(self.id).error()
        self.clear()
        return error or JobFailed(self.id, "its results are not all there")

    def cancel(self) -> bool:
        """Return whether the batch was running; it is ABORTED then, and nothing of it is kept."""
        aborted = self._intake.ledger.trace_cancel(self.id)
        if aborted:
            self.clear()
        return aborted

    def clear(self) -> None:
        """Delete what is left in the scratch store; it expires by itself where that fails."""
        with contextlib.suppress(FarmError):
            nodes = self._intake.ledger.trace_view(self.id).nodes
            self._drop([*(part.inputs for part in self.parts), *nodes.values()])
            self._intake.ledger.trace_release(self.id)

    def forget(self) -> None:
        """Let the ledger forget the batch, now that its results are taken."""
        with contextlib.suppress(FarmError):
            self._intake.ledger.trace_forget(self.id)

    def _drop(self, refs: Iterable[str]) -> None:
        with contextlib.suppress(FarmError):
            self._intake.scratch.drop([ref for ref in refs if ref])
