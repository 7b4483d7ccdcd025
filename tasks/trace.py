"""Task `trace`: packed witnesses -> packed trace proofs, both in the scratch store."""

from farm.attempt import current, step
from farm.columns import Inputs
from farm.queue import app
from farm.step import Step, patient
from farm.trace import prove


@app.task(name="trace")
@step
def trace(step: Step) -> None:
    """Prove one chunk of a batch and bind its results; a bad row fails alone, with a code."""
    worker, message = current(), step.message
    batch, chunk, attempt = message.session, message.step, message.attempt
    inputs = Inputs.unpack(worker.scratch.get(message.inputs[0]))
    proofs = prove(inputs, worker.settings.trace_rounds_limit)
    ref = worker.scratch.put(proofs.pack(f"{batch} {chunk}"))
    # Whatever the answer, there is nothing left to do: another attempt may have bound the chunk.
    patient(lambda: worker.steps.trace_done(batch, chunk, attempt, ref), step.watch.check)
