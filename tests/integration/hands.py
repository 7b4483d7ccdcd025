"""Workers without Celery: threads that take the scheduler's messages and answer at once."""

import json
import queue
import threading
import time
from hashlib import sha256

from farm.claim import KECCAK_ROOT, RECURSION_ROOT, ZERO, Claim, assumption, union
from farm.job import JobSpec, State, new_id
from farm.session import Slot
from farm.steps import Hold
from farm.wire import Assumed, ExecutedRecord, KeccakRecord, SegmentRecord, chunk_messages


def hexed(text):
    return sha256(text.encode()).hexdigest()


def claim(index):
    return Claim(hexed(f"state {index}"), hexed(f"state {index + 1}"), ZERO, ZERO, 2, 0)


def spec(blobs, **given):
    known = {"id": new_id(), "image_id": "11" * 32, "po2": 16, "cycle_limit": 9, "input_limit": 9}
    known |= {"program": blobs.put(b"program"), "input": blobs.put(b"input")}
    return JobSpec(**known | given)


def until(condition, seconds=10):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
    return found


def submit(ledger, wanted):
    return ledger.submit(wanted, present=lambda ref: True).job


def ended(ledger, id):
    view = until(lambda: (view := ledger.status(id)).state.ended and view)
    assert (view.state, view.error()) == (State.SUCCEEDED, None)
    return view


def kinds(hands):
    return [message.step for message in hands.seen]


class Letterbox:
    """Where the scheduler's messages go instead of to a broker; `send` gets each."""

    def __init__(self, send):
        self._send = send

    def __call__(self, app):
        return self

    def send(self, messages):
        for one in messages:
            self._send(None, one.queue, one.task, one.kwargs, one.repr)


class Hands:
    """All slots of one machine; `whims` says what to do otherwise with a step, once each."""

    def __init__(self, steps, blobs, slots=2, segments=2):
        self.steps, self.blobs, self.segments = steps, blobs, segments
        self.inbox = queue.Queue()
        self.seen = []
        #: Whether guests want hashes of the keccak circuit.
        self.hashes = False
        self.whims = {}
        self.slots = [self._slot("risc0", number, [number]) for number in range(slots)]
        self.slots.append(self._slot("execute", 0, []))
        self.trace = self._slot("trace", 0, [])
        self.over = threading.Event()
        self.threads = [threading.Thread(target=work) for work in (self._work, self._beat)]

    def _slot(self, kind, number, cores):
        name = f"{kind}-m-{number}"
        return Slot(name=name, kind=kind, machine="m", cores=cores, incarnation=new_id("i"))

    def __enter__(self):
        for slot in [*self.slots, self.trace]:
            self.steps.slot_up(slot)
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def send(self, app, queue, task, kwargs, repr):
        self.inbox.put(json.loads(json.dumps(kwargs)))

    def _beat(self):
        while not self.over.wait(0.1):
            for slot in [*self.slots, self.trace]:
                try:
                    if self.steps.slot_beat(slot) is Hold.LOST:
                        self.steps.slot_up(slot)
                except Exception:  # the server is away: that is what a test is about
                    continue

    def _work(self):
        while not self.over.is_set():
            try:
                messages = chunk_messages(self.inbox.get(timeout=0.05))
            except queue.Empty:
                continue
            for message in messages:
                self.seen.append(message)
                (self.whims.pop(message.step, None) or self.do)(message)

    def lease(self, message):
        name = message.slot or self.trace.name
        slot = next(slot for slot in [*self.slots, self.trace] if slot.name == name)
        at = (message.session, message.step, message.attempt)
        return self.steps.lease(*at, slot.name, slot.incarnation)

    def ignore(self, message):
        """Take the message and do nothing."""

    def hang(self, message):
        """Lease the step and never renew it."""
        self.lease(message)

    def wrong(self, message):
        """Deliver a receipt of something else."""
        assert self.lease(message) is Hold.LEASED
        refusal = {"verb": "fail", "kind": "WrongClaim", "facts": ["this", "that"]}
        ref = self.blobs.put(json.dumps(refusal).encode())
        self.steps.done(message.session, message.step, message.attempt, ref)

    def do(self, message):
        if self.lease(message) is not Hold.LEASED:
            return
        at = (message.session, message.step, message.attempt)
        if message.kind == "execute":
            self.execute(message)
        elif message.kind == "trace":
            self.steps.trace_done(*at, "ref")
        else:
            ref = self.blobs.put(f"{at}".encode())
            assert self.steps.done(*at, ref) is Hold.HELD

    def keccak(self, message):
        """Record two keccak requests; return what the guest relies on then."""
        found = []
        for index in range(2):
            record = KeccakRecord(self.blobs.put(f"keccak {index}".encode()), 14, hexed(f"{index}"))
            self.steps.keccak(message.session, message.attempt, index, record)
            found.append(assumption(record.digest, KECCAK_ROOT))
        return Assumed(union(*found), RECURSION_ROOT, hexed("all hashed"))

    def execute(self, message):
        assumed = [
            Assumed(hexed(ref), ZERO, hexed(f"with {ref}"), ref) for ref in message.inputs[2:]
        ]
        assumed += [self.keccak(message)] if self.hashes else []
        for index in range(self.segments):
            record = SegmentRecord(self.blobs.put(f"segment {index}".encode()), 16, claim(index))
            self.steps.segment(message.session, message.attempt, index, record)
        record = ExecutedRecord(
            image_id="11" * 32,
            segments=self.segments,
            sys_exit=0,
            user_exit=0,
            cycles={"total": 7},
            claim=claim(0),
            journal=self.blobs.put(b"journal"),
            stdout="",
            stderr="",
            keccaks=2 * self.hashes,
            assumptions=assumed,
        )
        self.steps.executed(message.session, message.attempt, record)
