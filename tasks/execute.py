"""Run a guest and record its segments, with the claim that each has to prove, as they appear."""

from typing import Any

from farm.attempt import step
from farm.claim import Claim
from farm.host import Answer
from farm.queue import app
from farm.step import Step
from farm.wire import ExecutedRecord, SegmentRecord

#: Which arguments of the message are the host's.
ARGUMENTS = ("po2", "cycle_limit", "input_limit", "image_id")


@app.task(name="execute")
@step
def execute(step: Step) -> None:
    """Store a session: its segments, its journal, how the guest ended."""

    def keep(facts: dict[str, Any], segment: bytes) -> None:
        # The host waits meanwhile: it is never more than a segment ahead of the store.
        with step.watch.storing():
            record = SegmentRecord(step.put(segment), facts["po2"], Claim(**facts["claim"]))
            step.segment(facts["index"], record)

    arguments = {name: step.message.args[name] for name in ARGUMENTS if name in step.message.args}
    program_and_input = step.inputs()
    with step.host() as host:
        answer = host("execute", program_and_input, arguments, keep)
    step.executed(_record(step, answer))


def _record(step: Step, answer: Answer) -> ExecutedRecord:
    done = answer.done
    journal, stdout, stderr = (step.put(part) for part in answer.parts)
    return ExecutedRecord(
        image_id=done["image_id"],
        segments=done["segments"],
        sys_exit=done["sys_exit"],
        user_exit=done["user_exit"],
        cycles=done["cycles"],
        claim=Claim(**done["claim"]),
        journal=journal,
        stdout=stdout,
        stderr=stderr,
    )
