"""Tell the ledger, as a worker: a slot lives, a step is held, this came of it.

Every call names its attempt. Any other attempt than the one the ledger sent last changes
nothing and is answered LOST or STALE; work for a session that has ended, CANCELLED.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import cached_property
from secrets import token_hex
from typing import Any

import msgspec

from farm import keys
from farm.errors import ExecutionDiffers, FarmError
from farm.ledger import batch_keys
from farm.observe import Observer, Seen
from farm.server import Server
from farm.session import Slot, parse_step
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord

#: Session or batch, step, number of the attempt.
Attempt = tuple[str, str, int]


class Hold(StrEnum):
    """What the ledger answers a worker."""

    #: The step is this worker's now: start.
    LEASED = "LEASED"
    #: Noted; go on.
    HELD = "HELD"
    #: A message that is out of date, or came twice: drop it.
    STALE = "STALE"
    #: Another attempt has the step (or the ledger took the slot for dead): stop, report nothing.
    LOST = "LOST"
    #: Nobody waits for the session any more: kill the child, report nothing.
    CANCELLED = "CANCELLED"


class Steps(Server):
    """What a worker can say; every call may raise LedgerDown and may then be repeated."""

    def slot_up(self, *slots: Slot) -> None:
        """Announce slots; what an earlier incarnation held is sent again."""
        records = {slot.name: msgspec.json.encode(slot).decode() for slot in slots}
        self._of_slots("slot_up", [keys.SLOTS, keys.BEATS, keys.EVENTS], records)

    def slot_beat(self, *slots: Slot) -> Hold:
        """Return HELD; or LOST when the ledger has given one of them up, then call `slot_up`."""
        incarnations = {slot.name: slot.incarnation for slot in slots}
        return self._of_slots("slot_beat", [keys.SLOTS, keys.BEATS], incarnations)

    def slot_down(self, *slots: Slot) -> Hold:
        """Take slots away in good order; steps they still hold are sent elsewhere."""
        incarnations = {slot.name: slot.incarnation for slot in slots}
        names = [keys.SLOTS, keys.BEATS, keys.EVENTS]
        return self._of_slots("slot_down", names, incarnations)

    def _of_slots(self, name: str, names: list[str], told: dict[str, str]) -> Hold:
        commands = [
            self.command(name, names, [slot, keys.slot_beat(slot), text])
            for slot, text in told.items()
        ]
        answers = self.calls(commands)
        return Hold.LOST if Hold.LOST in answers else Hold.HELD

    def lease(
        self, session: str, step: str, attempt: int, slot: str, incarnation: str, token: str = ""
    ) -> Hold:
        """Return LEASED, STALE or CANCELLED; for a chunk of a trace batch too.

        Who asks again because an answer got lost gives the same `token` again.
        """
        beat = keys.step_beat(session, step, attempt)
        args = [step, attempt, beat, slot, incarnation, token or token_hex(8)]
        return Hold(self.call("lease", [*_home(session, step), keys.BEATS], args))

    def renew(self, session: str, step: str, attempt: int) -> Hold:
        """Return HELD, LOST or CANCELLED; to be called once per beat while there is progress."""
        args = [step, attempt, keys.step_beat(session, step, attempt)]
        return Hold(self.call("renew", [*_home(session, step), keys.BEATS], args))

    def done(self, session: str, step: str, attempt: int, ref: str) -> Hold:
        """Report the output of a prove or fold, a blob by now; the scheduler verifies it."""
        return self._report(session, step, attempt, ["REPORTED", ref, "", "[]"])

    def failed(self, session: str, step: str, attempt: int, error: FarmError) -> Hold:
        """Report why a step (of any kind, trace too) gave nothing; the scheduler decides."""
        facts = msgspec.json.encode(list(error.facts), enc_hook=str).decode()
        return self._report(session, step, attempt, ["FAILED", "", error.code, facts])

    def _report(self, session: str, step: str, attempt: int, outcome: list[str]) -> Hold:
        beat = keys.step_beat(session, step, attempt)
        names = [*_home(session, step), keys.BEATS, keys.EVENTS]
        return Hold(self.call("report", names, [step, attempt, beat, session, *outcome]))

    def segment(self, session: str, attempt: int, index: int, record: SegmentRecord) -> Hold:
        """Record one segment of a running execution; it may be proved from then on.

        Raises ExecutionDiffers when an earlier execution made another segment there.
        """
        args = [attempt, session, index, msgspec.json.encode(record).decode()]
        return self._found("segment", session, args, f"segment {index}")

    def keccak(self, session: str, attempt: int, index: int, record: KeccakRecord) -> Hold:
        """Record what the guest wants hashed by the keccak circuit; it may be proved from then on.

        Raises ExecutionDiffers when an earlier execution made another request there.
        """
        args = [attempt, session, index, keys.keccak(index), msgspec.json.encode(record).decode()]
        return self._found("keccak", session, args, f"keccak request {index}")

    def _found(self, name: str, session: str, args: list[Any], what: str) -> Hold:
        names = [*_home(session, "execute"), keys.segments(session), keys.EVENTS]
        answer = self.call(name, names, args)
        if answer == "DIFFERS":
            raise ExecutionDiffers(what)
        return Hold(answer)

    def executed(self, session: str, attempt: int, record: ExecutedRecord) -> Hold:
        """Record that the guest has ended well, and with it the number of segments."""
        names = [*_home(session, "execute"), keys.BEATS, keys.EVENTS, keys.TENANTS]
        beat = keys.step_beat(session, "execute", attempt)
        text = msgspec.json.encode(record).decode()
        return Hold(self.call("executed", names, [attempt, beat, session, text]))

    def trace_done(self, batch: str, step: str, attempt: int, ref: str) -> Hold:
        """Bind the packed results of a chunk, which lie in the scratch store by now."""
        return self.trace_all_done([((batch, step, attempt), ref)])[0]

    def trace_all_done(self, results: Sequence[tuple[Attempt, str]]) -> list[Hold]:
        """Bind the packed results of several chunks, in one go."""
        commands = []
        for (batch, step, attempt), ref in results:
            names = [*batch_keys(batch), keys.BEATS]
            args = [step, attempt, keys.step_beat(batch, step, attempt), batch, ref]
            commands.append(self.command("trace_done", names, [*args, keys.KEPT, keys.SCRATCH]))
        return [Hold(answer) for answer in self.calls(commands)]

    def lease_all(self, attempts: Sequence[Attempt], slot: Slot, token: str) -> list[Hold]:
        """Lease several steps in one go, each answered as by `lease`."""
        own = [slot.name, slot.incarnation, token]
        return self._of_all("lease", attempts, own)

    def renew_all(self, attempts: Sequence[Attempt]) -> list[Hold]:
        """Renew several leases in one go, each answered as by `renew`."""
        return self._of_all("renew", attempts, [])

    def _of_all(self, name: str, attempts: Sequence[Attempt], args: list[str]) -> list[Hold]:
        commands = []
        for session, step, attempt in attempts:
            beat = keys.step_beat(session, step, attempt)
            names = [*_home(session, step), keys.BEATS]
            commands.append(self.command(name, names, [step, attempt, beat, *args]))
        return [Hold(answer) for answer in self.calls(commands)]

    def proof_po2(self, session: str, step: str) -> int:
        """Return the size of what a step proves, 0 where nothing is recorded of it."""
        kind, span = parse_step(step)
        start = span.start if span else ""
        field = keys.keccak(start) if kind == "keccak" else start
        text = self.calls([("HGET", keys.segments(session), field)])[0]
        return int(msgspec.json.decode(text)["po2"]) if text else 0

    def observe(self, seen: Seen) -> None:
        """Tell what a step has cost, or do not: a sample is enough. Raises nothing."""
        self._observer.note(seen)

    @cached_property
    def _observer(self) -> Observer:
        names = [keys.OBSERVATIONS]
        return Observer(lambda batch: self.call("observe", names, [keys.OBSERVED, batch]))


def _home(session: str, step: str) -> list[str]:
    return [keys.home(session, step), keys.steps(session)]
