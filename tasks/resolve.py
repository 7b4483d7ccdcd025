"""Discharge one assumption of a receipt by the receipt of what was assumed."""

from farm.attempt import step
from farm.queue import app
from farm.step import Step


@app.task(name="resolve")
@step
def resolve(step: Step) -> None:
    """Store the receipt with one assumption less."""
    conditional_and_assumption = step.inputs()
    with step.host(light=True) as host:
        resolved = host("resolve", conditional_and_assumption).parts
    step.done(resolved[0])
