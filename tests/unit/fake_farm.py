"""Stand-ins for a farm's ledger and stores, for tests of what clients do with them."""

import io
from hashlib import sha256

import msgspec

from farm import trace
from farm.blobs import own_name
from farm.columns import Inputs
from farm.entry import Intake
from farm.errors import BlobMissing, JobAborted, LedgerDown, UnknownJob
from farm.job import Admission, BatchView, Change, JobView, State
from farm.pace import Pace
from farm.wire import step_message


class MemoryBlobs:
    """A blob store that is a dict."""

    def __init__(self):
        self.bodies = {}

    def put(self, body, ref=""):
        ref = ref or f"{sha256(body).hexdigest()}-{len(body)}"
        self.bodies[ref] = body
        return ref

    def keep(self, ref, body):
        self.bodies[ref] = body

    def get(self, ref):
        if ref not in self.bodies:
            raise BlobMissing(ref, "gone")
        return self.bodies[ref]

    def has(self, ref):
        return ref in self.bodies

    def delete(self, ref):
        self.bodies.pop(ref, None)

    def close(self):
        pass


class MemoryScratch(MemoryBlobs):
    """A scratch store that is a dict."""

    def put(self, body, ref=""):
        ref = own_name(body)
        self.bodies[ref] = body
        return ref

    def put_all(self, bodies):
        return [self.put(body) for body in bodies]

    def get_all(self, refs):
        return [self.bodies.get(ref) or BlobMissing(ref, "gone") for ref in refs]

    def take_all(self, refs, drop=()):
        found = self.get_all(refs)
        self.drop([*refs, *drop])
        return found

    def drop(self, refs):
        for ref in refs:
            self.delete(ref)


class FakeLedger:
    """A ledger that says what the test has put into it.

    `script` is a list of answers to `changes`: lists of Change, or errors to raise.
    """

    def __init__(self, script=()):
        self.script = list(script)
        self.specs, self.views, self.batches, self.cancelled = [], {}, {}, []
        self.asked = []
        #: Errors that handing in a batch gives, and what was handed in and let go.
        self.refusals, self.chunks, self.sizes, self.released = [], {}, {}, []
        self.answered = False
        #: Slots that are up, and how the guests of sessions ended.
        self.up, self.records = [], {}
        self.client = io.BytesIO()  # something that can be closed

    def calls(self, commands):
        """Know no guests."""
        return [{} for _ in commands]

    def submit(self, spec, *, present, cap, quota=None):
        self.specs.append(spec)
        return Admission(spec.id, State.ACCEPTED)

    def status(self, id):
        if id not in self.views:
            raise UnknownJob(id)
        return self.views[id]

    def cancel(self, id):
        self.cancelled.append(id)
        return id in self.views and not self.views[id].state.ended

    def jobs(self, limit=100):
        return list(self.views.values())[:limit]

    def slots(self):
        return self.up

    def executed(self, session):
        return self.records.get(session)

    def changes(self, id, after="0", block_ms=0):
        self.asked.append((after, block_ms))
        answer = self.script.pop(0) if self.script else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def trace_submit(self, id, program, count, chunks, *, size=0, cap=0, forget=()):
        if self.refusals:
            raise self.refusals.pop(0)
        self.trace_forget(*forget)
        self.chunks[id], self.sizes[id] = chunks, size
        self.batches[id] = BatchView(
            id=id,
            state=State.RUNNING,
            program=program,
            count=count,
            chunks=len(chunks),
            inputs=[ref for chunk in chunks for ref in chunk.message.kwargs["inputs"]],
        )
        return True

    def trace_view(self, id):
        if id not in self.batches:
            raise UnknownJob(id)
        return self.batches[id]

    def models(self):
        return {}

    def trace_room(self, id, size, cap):
        if self.refusals:
            raise self.refusals.pop(0)

    def trace_forget(self, *ids):
        for id in ids:
            self.batches.pop(id, None)

    def trace_release(self, id, size=0):
        self.released.append(id)

    def trace_cancel(self, id):
        if id not in self.batches or self.batches[id].state.ended:
            return False
        self.end(id, State.ABORTED, JobAborted(id, "by request"))
        return True

    def end(self, id, state, error):
        """Have a batch end without all its results."""
        ended = {"state": state, "code": error.code, "facts": list(error.facts)}
        self.batches[id] = msgspec.structs.replace(self.batches[id], **ended)


def change(number, state=State.RUNNING, **fields):
    return Change(id=f"{number}-0", state=state, **fields)


def view(spec, state, **fields):
    return JobView(id=spec.id, state=state, spec=spec, **fields)


def work_trace(ledger, scratch, envelope, spoil=lambda rows: rows):
    """Do one chunk of a trace batch as a worker does; `spoil` changes what it gives back."""
    message = step_message(envelope.kwargs)
    inputs = Inputs.unpack(scratch.get(message.inputs[0]))
    rows = spoil(trace.prove(inputs, 1000))
    ref = scratch.put(rows.pack(f"{message.session} {message.step}"))
    batch = ledger.batches[message.session]
    nodes = batch.nodes | {message.step: ref}
    state = State.SUCCEEDED if len(nodes) == batch.chunks else State.RUNNING
    fresh = msgspec.structs.replace(batch, nodes=nodes, done=len(nodes), state=state)
    ledger.batches[batch.id] = fresh
    told = {"done": len(nodes), "segments": batch.chunks, "batch": batch.id}
    told |= {"step": message.step, "ref": ref}
    ledger.script.append([change(len(nodes), state, **told)])


def intake(ledger, scratch, send, **given):
    """Return where a batch is handed in, with room enough."""
    pace = Pace(ledger, given.pop("latency_s", 1.0))
    known = {"limit_s": 60.0, "pace": pace, "held_limit": 1 << 30}
    return Intake(ledger=ledger, scratch=scratch, send=send, **known | given)


DOWN = LedgerDown("redis://there", "gone")
