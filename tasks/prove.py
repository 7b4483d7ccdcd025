"""Prove one segment and lift the proof, so that what leaves this slot can be joined."""

from farm.attempt import step
from farm.queue import app
from farm.step import Step


@app.task(name="prove")
@step
def prove(step: Step) -> None:
    """Store the lifted receipt of a segment."""
    segment = step.inputs()
    claim = {"claim": step.message.args["claim"]}
    with step.host() as host:
        proof = host("prove", segment, claim).parts
        lifted = host("lift", [*proof], claim).parts
    step.done(lifted[0])
