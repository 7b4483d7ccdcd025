"""Prove what a guest wants hashed by the keccak circuit."""

from farm.attempt import step
from farm.queue import app
from farm.step import Step


@app.task(name="keccak")
@step
def keccak(step: Step) -> None:
    """Store the receipt of one keccak request."""
    request = step.inputs()
    with step.host() as host:
        proved = host("prove-keccak", request).parts
    step.done(proved[0])
