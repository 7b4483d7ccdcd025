"""One trace batch in the ledger: hand it in, take its results, hand in again what got lost.

Packed inputs go into the scratch store, then the entry into the ledger, then one small message a
chunk to the trace workers; the messages of small chunks are left to the scheduler. What a worker
loses, the scheduler sends again. Results leave the scratch store as they are taken.
"""

import contextlib
import threading
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
    JobAborted,
    JobFailed,
    LedgerDown,
    StoreFailed,
    UnknownJob,
)
from farm.job import Change, State
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

    The scratch store forgets when it is restarted; the client has the inputs still. Once it is
    submitted, several threads may take from it.
    """

    def __init__(self, inputs: Inputs, intake: Intake, name: Callable[[], str]) -> None:
        self.inputs, self._intake, self._name = inputs, intake, name
        #: The name that the ledger has, once it is submitted.
        self.id = name()
        # Handed in again it is cut the same way: parts go by their number.
        self._limits = intake.pace.limits(inputs)
        self.parts: list[Part] = []
        #: The results by the part they are of.
        self.taken: dict[int, Outputs] = {}
        self._whole: Outputs | None = None
        self._nodes: dict[str, str] = {}
        self._uploaded: list[Part] = []
        self._losses, self._next = 0, ""
        self._cancelled = False
        # A result can be taken once: who takes second must see what the first one got.
        self._lock = threading.RLock()

    def submit(self, forget: Sequence[str] = ()) -> None:
        """Hand in all parts; accepted once this returns.

        May be repeated. Raises Busy when there is no room for them, InputTooLarge when there
        never will be.
        """
        self._submit(self.id, forget)

    def _submit(self, id: str, forget: Sequence[str] = ()) -> None:
        intake, limits = self._intake, self._limits
        size, cap = parcels.held(self.inputs, limits), intake.held_limit
        if size > cap:
            raise InputTooLarge(size, cap)
        # What was uploaded before may be in the ledger, and counted there.
        if size > LARGE and not self._uploaded:
            intake.ledger.trace_room(id, size, cap)
        # Kept from before, an answer got lost: the ledger may name just these.
        parts = list(self._uploaded)
        try:
            if not parts:
                for part in parcels.upload(id, self.inputs, intake.scratch, self.taken, limits):
                    parts.append(part)
                self._uploaded = parts
            self._record(id, parts, size, forget)
        except FarmError as error:
            if isinstance(error, LedgerDown) and self._uploaded:
                raise  # the ledger may have it: it is handed in again as it is
            self._drop(part.inputs for part in parts)
            self._uploaded = []
            if not isinstance(error, StoreFailed):
                raise
            with contextlib.suppress(LedgerDown):
                intake.ledger.trace_release(id, size)
            raise Busy("the scratch server", "maxmemory", TRACE_RETRY_SECONDS) from error

    def _record(self, id: str, parts: list[Part], size: int, forget: Sequence[str]) -> None:
        intake, program = self._intake, self.inputs.program
        fresh = [part for at, part in enumerate(parts) if at not in self.taken]
        chunks = [parcels.chunk(id, program, part, intake.limit_s) for part in fresh]
        if chunks:
            intake.ledger.trace_submit(
                id,
                program,
                len(self.inputs),
                chunks,
                size=size,
                cap=intake.held_limit,
                forget=forget,
            )
        self.id, self.parts, self._nodes, self._uploaded = id, parts, {}, []
        # Accepted: what the broker does not take now, the scheduler sends later.
        with contextlib.suppress(LedgerDown):
            if messages := [chunk.message for chunk in chunks if not chunk.small]:
                intake.send(messages)

    def take(self, id: str, changes: Iterable[Change], *, ended: bool) -> bool:
        """Take what is there, hand in again what got lost; return whether all results are taken.

        `changes` were told of the batch named `id` and may name the results, else the ledger is
        asked. Raises why a batch that has `ended` does not have them all, JobAborted for what got
        lost after it was cancelled. May be repeated after Busy and LedgerDown.
        """
        with self._lock:
            if id != self.id:  # handed in again meanwhile: this is no news any more
                return False
            try:
                if self._collect(changes) or (ended and self._collect()):
                    return True
                if ended:
                    raise self._why()
            except BlobMissing as error:
                self._submit_again(error)
            return False

    def _collect(self, changes: Iterable[Change] = ()) -> bool:
        """Return whether all results are taken; raises BlobMissing once all others are."""
        if len(self.taken) == len(self.parts):
            return True
        brought = {change.step: change.ref for change in changes if change.ref}
        self._nodes |= brought or self._intake.ledger.trace_view(self.id).nodes
        ready = [
            (at, part)
            for at, part in enumerate(self.parts)
            if at not in self.taken and part.step in self._nodes
        ]
        for start in range(0, len(ready), TOGETHER):
            self._fetch(ready[start : start + TOGETHER])
        return len(self.taken) == len(self.parts)

    def _fetch(self, ready: Sequence[tuple[int, Part]]) -> None:
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

    def _submit_again(self, error: BlobMissing) -> None:
        """Hand in what is missing under another name; raises `error` after too many losses."""
        if self._cancelled or self._aborted():
            raise JobAborted(self.id, "by request")
        if self._losses >= LOSSES:
            raise error
        lost = self.id
        before = [part.inputs for at, part in enumerate(self.parts) if at not in self.taken]
        # An answer may have got lost, and the ledger have it: then under the same name again.
        self._next = self._next or self._name()
        try:
            self._submit(self._next)
        except FarmError as failure:
            if not isinstance(failure, LedgerDown):
                self._next = ""
            if isinstance(failure, Busy):
                self._clear(lost)  # it may hold the very room that is asked for
            raise
        self._losses, self._next = self._losses + 1, ""
        self._drop(before)
        with contextlib.suppress(FarmError):
            self._intake.ledger.trace_forget(lost)

    def _aborted(self) -> bool:
        """Return whether somebody else has cancelled the batch: its data are deleted then."""
        with contextlib.suppress(UnknownJob):
            return self._intake.ledger.trace_view(self.id).state is State.ABORTED
        return False

    def _why(self) -> FarmError:
        """Return why the batch has ended without all its results; nothing of it is kept."""
        error = self._intake.ledger.trace_view(self.id).error()
        self._clear(self.id)
        return error or JobFailed(self.id, "its results are not all there")

    def whole(self) -> Outputs:
        """Return all results as one, when all are taken."""
        with self._lock:
            if self._whole is None:
                parts = [self.taken[at] for at in range(len(self.parts))]
                self._whole = Outputs.joined(parts)
                # The parts are where the whole is: nothing is held twice.
                self.taken.update(enumerate(self._whole.split([len(part) for part in parts])))
            return self._whole

    def cancel(self) -> bool:
        """Return whether the batch was running; it is ABORTED then, and nothing of it is kept.

        Whatever it returns or raises, the batch is not handed in again after this.
        """
        self._cancelled = True
        with self._lock:
            # Handed in again and the answer lost, it may have two names.
            names = filter(None, (self.id, self._next))
            aborted = [name for name in names if self._intake.ledger.trace_cancel(name)]
            for name in aborted:
                self._clear(name)
            self.give_up()
        return bool(aborted)

    def give_up(self) -> None:
        """Delete what was uploaded and is not known to be accepted: nobody waits for it."""
        self._drop(part.inputs for part in self._uploaded)

    def _clear(self, id: str) -> None:
        """Delete what is left in the scratch store; it expires by itself where that fails."""
        with contextlib.suppress(FarmError):
            ledger, scratch = self._intake.ledger, self._intake.scratch
            parcels.clear(ledger.trace_view(id), ledger, scratch)

    def forget(self) -> None:
        """Let the ledger forget the batch, now that its results are taken."""
        with contextlib.suppress(FarmError):
            self._intake.ledger.trace_forget(self.id)

    def _drop(self, refs: Iterable[str]) -> None:
        with contextlib.suppress(FarmError):
            self._intake.scratch.drop([ref for ref in refs if ref])
