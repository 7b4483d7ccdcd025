"""Play slots whose steps take no time: messages out of the queues, reports into the ledger.

All that is taken at once is leased and reported in one go each, so that one process keeps a
scheduler busy. What it says is what workers say, and costs the servers the same.
"""

import base64
import json
import threading
import time
from hashlib import sha256
from typing import Any

import msgspec

from farm import keys, queue
from farm.claim import ZERO, Claim
from farm.job import new_id
from farm.server import connect
from farm.session import Slot
from farm.steps import Attempt, Hold, Steps
from farm.wire import ExecutedRecord, SegmentRecord, StepMessage, step_message

#: Most messages taken out of one queue at once.
TOGETHER = 8
#: Seconds without a message before the queues are looked at again.
NAP = 0.002


def hexed(text: str) -> str:
    """Return a digest of a text."""
    return sha256(text.encode()).hexdigest()


def reference(text: str) -> str:
    """Return a reference to a blob that nobody will fetch."""
    return f"{hexed(text)}-1000"


def segment(index: int) -> SegmentRecord:
    """Return the segment that every guest has there."""
    pre, post = (hexed(f"state {at}") for at in (index, index + 1))
    return SegmentRecord(reference(f"segment {index}"), 20, Claim(pre, post, ZERO, ZERO, 2, 0))


def ended(count: int) -> ExecutedRecord:
    """Return how every guest ends, after so many segments."""
    claim = Claim(hexed("state 0"), hexed(f"state {count}"), ZERO, ZERO, 0, 0)
    return ExecutedRecord(
        image_id="11" * 32,
        segments=count,
        sys_exit=0,
        user_exit=0,
        cycles={"total": count << 20},
        claim=claim,
        journal=reference("journal"),
        stdout="",
        stderr="",
    )


class Slots:
    """Slots that prove, fold and execute, on a thread of their own."""

    def __init__(self, ledger: str, broker: str, *, proving: int, executing: int, segments: int):
        self._steps, self._broker = Steps.at(ledger), connect(broker)
        self.slots = [_slot("risc0", number) for number in range(proving)]
        self.slots += [_slot("execute", number) for number in range(executing)]
        self._by_name = {slot.name: slot for slot in self.slots}
        self._queues = [
            name for slot in self.slots for name in queue.queues_of(slot.kind, slot.name)
        ]
        self._segments = [msgspec.json.encode(segment(n)).decode() for n in range(segments)]
        self._ended = msgspec.json.encode(ended(segments)).decode()
        #: How many steps were done, and executions among them.
        self.done = self.executed = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slots")

    def __enter__(self) -> "Slots":
        for slot in self.slots:
            self._steps.slot_up(slot)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        beat = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= beat:
                self._beat()
                beat = time.monotonic() + 1.0
            if messages := self._taken():
                self._do(messages)
            else:
                time.sleep(NAP)

    def _beat(self) -> None:
        names = [keys.SLOTS, keys.BEATS]
        args = [(s.name, keys.slot_beat(s.name), s.incarnation) for s in self.slots]
        self._steps.calls([self._steps.command("slot_beat", names, list(one)) for one in args])

    def _taken(self) -> list[StepMessage]:
        pipeline = self._broker.pipeline(transaction=False)
        for name in self._queues:
            pipeline.rpop(name, TOGETHER)
        found = [text for texts in pipeline.execute() for text in texts or ()]
        return [step_message(_kwargs(text)) for text in found]

    def _do(self, messages: list[StepMessage]) -> None:
        commands = [self._lease(message) for message in messages]
        answers = self._steps.calls(commands)
        held = [m for m, answer in zip(messages, answers, strict=True) if answer == Hold.LEASED]
        reports = [command for message in held for command in self._reports(message)]
        self._steps.calls(reports)
        self.done += len(held)
        self.executed += sum(message.step == "execute" for message in held)

    def _lease(self, message: StepMessage) -> tuple[Any, ...]:
        slot = self._by_name[message.slot]
        at = _attempt(message)
        names = [keys.session(at[0]), keys.steps(at[0]), keys.BEATS]
        args = [at[1], at[2], keys.step_beat(*at), slot.name, slot.incarnation, new_id("t")]
        return self._steps.command("lease", names, args)

    def _reports(self, message: StepMessage) -> list[tuple[Any, ...]]:
        session, step, attempt = at = _attempt(message)
        home = [keys.session(session), keys.steps(session)]
        beat = keys.step_beat(*at)
        if step != "execute":
            names = [*home, keys.BEATS, keys.EVENTS]
            out = ["REPORTED", reference(f"{session} {step}"), "", "[]"]
            return [self._steps.command("report", names, [step, attempt, beat, session, *out])]
        names = [*home, keys.segments(session), keys.EVENTS]
        found = [
            self._steps.command("segment", names, [attempt, session, index, text])
            for index, text in enumerate(self._segments)
        ]
        names = [*home, keys.BEATS, keys.EVENTS]
        args = [attempt, beat, session, self._ended]
        return [*found, self._steps.command("executed", names, args)]


def _slot(kind: str, number: int) -> Slot:
    lanes = 2 if kind == "execute" else 1
    name = f"{kind}-m{number}-0"
    return Slot(name=name, kind=kind, machine=f"m{number}", lanes=lanes, incarnation=new_id("i"))


def _attempt(message: StepMessage) -> Attempt:
    return message.session, message.step, message.attempt


def _kwargs(text: str) -> dict[str, Any]:
    body = json.loads(base64.b64decode(json.loads(text)["body"]))
    return dict(body[1])
