"""Stand-ins for a farm's ledger and stores, for tests of what clients do with them."""

import io
from hashlib import sha256

import msgspec

from farm import trace
from farm.columns import Inputs
from farm.errors import BlobMissing, LedgerDown, UnknownJob
from farm.job import Admission, BatchView, Change, JobView, State
from farm.wire import step_message


class MemoryBlobs:
    """A blob store that is a dict."""

    def __init__(self):
        self.bodies = {}

    def put(self, body):
        ref = f"{sha256(body).hexdigest()}-{len(body)}"
        self.bodies[ref] = body
        return ref

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


class FakeLedger:
    """A ledger that says what the test has put into it.

    `script` is a list of answers to `changes`: lists of Change, or errors to raise.
    """

    def __init__(self, script=()):
        self.script = list(script)
        self.specs, self.views, self.batches, self.cancelled = [], {}, {}, []
        self.asked = []
        self.answered = False
        self.client = io.BytesIO()  # something that can be closed

    def submit(self, spec, *, present, cap):
        self.specs.append(spec)
        return Admission(spec.id, State.ACCEPTED)

    def status(self, id):
        if id not in self.views:
            raise UnknownJob(id)
        return self.views[id]

    def cancel(self, id):
        self.cancelled.append(id)
        return id in self.views

    def jobs(self, limit=100):
        return list(self.views.values())[:limit]

    def slots(self):
        return []

    def changes(self, id, after="0", block_ms=0):
        self.asked.append((after, block_ms))
        answer = self.script.pop(0) if self.script else []
        if isinstance(answer, Exception):
            raise answer
        return answer

    def trace_submit(self, id, program, count, chunks):
        self.batches[id] = BatchView(
            id=id, state=State.RUNNING, program=program, count=count, chunks=len(chunks)
        )
        return True

    def trace_view(self, id):
        if id not in self.batches:
            raise UnknownJob(id)
        return self.batches[id]

    def trace_forget(self, id):
        self.batches.pop(id, None)

    def trace_cancel(self, id):
        return id in self.batches


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
    ledger.script.append([change(len(nodes), state, done=len(nodes), segments=batch.chunks)])


DOWN = LedgerDown("redis://there", "gone")
