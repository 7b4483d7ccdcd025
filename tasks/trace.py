"""Task `trace`: rows of one program -> their proofs; farm/group.py brings and takes them."""

import time

import numpy as np

from farm.attempt import current
from farm.columns import Inputs, Outputs
from farm.group import chunks
from farm.queue import app
from farm.terms import Features, Observation, trace_name
from farm.trace import backend, prove


@app.task(name="trace")
@chunks
def trace(inputs: Inputs) -> Outputs:
    """Prove the rows of one chunk or of several; a bad row fails alone, with a code."""
    worker = current()
    start = time.thread_time()
    proofs = prove(inputs, worker.settings.trace_rounds_limit)
    seconds = time.thread_time() - start
    worker.steps.observe(lambda: observed(inputs.program, proofs, seconds))
    return proofs


def observed(program: str, proofs: Outputs, seconds: float) -> list[Observation]:
    """Return what is learned of costs from a chunk that took so many CPU seconds."""
    rows = int(np.count_nonzero(proofs.codes == 0))
    if not rows or not seconds > 0:
        return []
    features = Features(rows=rows, steps=int(proofs.steps.sum(dtype=np.int64)))
    return [Observation(trace_name(program, backend()), seconds, features)]
