"""Prove one segment and lift the proof, so that what leaves this slot can be joined."""

from farm.attempt import step
from farm.queue import app
from farm.step import Step


@app.task(name="prove")
@step
def prove(step: Step) -> None:
    """Store the lifted receipt of a segment; of a composite receipt, the one that is not lifted."""
    segment = step.inputs()
    with step.host(prepare=lambda host: host("preflight", segment)) as host:
        proof = host("prove", segment).parts
        lift = step.message.args.get("lift", True)
        output = host("lift", [*proof]).parts if lift else proof
    step.done(output[0])
