"""Run a guest and record its segments, with the claim that each has to prove, as they appear."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

from farm import played
from farm.attempt import current, step
from farm.claim import ZERO, Claim
from farm.errors import GuestFailed, WrongKind
from farm.frames import Part
from farm.host import Answer
from farm.queue import app
from farm.step import Asked, Step
from farm.wire import Assumed, ExecutedRecord, KeccakRecord, SegmentRecord

#: Which arguments of the message are the host's.
ARGUMENTS = ("po2", "cycle_limit", "input_limit", "image_id", "proved", "seed")


@app.task(name="execute")
@step
def execute(step: Step) -> None:
    """Store a session: its segments, its journal, what it relies on, how the guest ended."""
    kept = _Kept(step)
    program, stdin, *relied = step.inputs()
    arguments = {name: step.message.args[name] for name in ARGUMENTS if name in step.message.args}
    proofs = [part for part in relied if not _is_trace(part)]
    po2 = current(step.message.slot).settings.keccak_po2
    assumed = [*_played(relied), *step.message.args.get("assumed", [])]
    more = {"keccak": True, "keccak_po2": po2, "assumed": assumed}
    with step.host() as host, _output_kept(step):
        given = _claims(step, host, relied)
        parts = [program, stdin, *proofs]
        answer = host("execute", parts, arguments | more, kept.segment, kept.keccak)
    step.executed(_record(step, answer, given, kept.keccaks))


class _Kept:
    """Keeps what a guest makes on the way. The host waits: it is never far ahead of the store."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self.keccaks = 0

    def segment(self, facts: dict[str, Any], body: bytes) -> None:
        with self._step.watch.storing():
            record = SegmentRecord(self._step.put(body), facts["po2"], Claim(**facts["claim"]))
            self._step.segment(facts["index"], record)

    def keccak(self, facts: dict[str, Any], body: bytes) -> None:
        with self._step.watch.storing():
            record = KeccakRecord(self._step.put(body), facts["po2"], facts["digest"])
            self._step.keccak(facts["index"], record)
        self.keccaks += 1


def _is_trace(part: Part) -> bool:
    return played.kind(bytes(part[:4])) == "trace"


def _played(relied: Sequence[Part]) -> list[str]:
    """Return what trace receipts would prove: enough for a guest of which nothing is proved."""
    found = [played.read(bytes(part), None) for part in relied if _is_trace(part)]
    return [Claim.ok(says.image_id, journal).digest() for says, journal in found]


def _claims(step: Step, host: Asked, relied: Sequence[Part]) -> dict[str, str]:
    """Return the receipts that the guest is given, by what they prove.

    Raises WrongKind for one that cannot be folded into the receipt that is asked for.
    """
    given = {}
    for ref, part in zip(step.message.inputs[2:], relied, strict=True):
        if not _is_trace(part):
            shown = host("verify", [part], {"form": "assumption"}).done
            if shown["kind"] == "composite" and step.message.args.get("receipt") != "composite":
                raise WrongKind(shown["kind"], "succinct")
            given[shown["digest"]] = ref
    return given


@contextlib.contextmanager
def _output_kept(step: Step) -> Iterator[None]:
    """Keep what a guest wrote before it failed."""
    try:
        yield
    except GuestFailed as error:
        if not error.bodies:
            raise
        raise error.keeping([step.put(body) for body in error.bodies]) from error


def _record(step: Step, answer: Answer, given: dict[str, str], keccaks: int) -> ExecutedRecord:
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
        keccaks=keccaks,
        assumptions=[_assumed(one, given) for one in done.get("assumptions", [])],
    )


def _assumed(one: dict[str, Any], given: dict[str, str]) -> Assumed:
    root = one.get("control_root", ZERO)
    ref = given.get(one["claim"], "") if one.get("proven") else ""
    return Assumed(one["claim"], root, one["digest"], ref)
