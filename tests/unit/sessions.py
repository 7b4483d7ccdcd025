"""Sessions, slots and jobs for tests: chains of claims that join, made from nothing."""

from hashlib import sha256

from farm.claim import KECCAK_ROOT, RECURSION_ROOT, ZERO, Claim, assumption, union
from farm.job import JobSpec
from farm.session import JobFacts, SessionFacts, Slot, Span, identity, session_name
from farm.shapes import KECCAKS
from farm.wire import Assumed, ExecutedRecord, KeccakRecord, SegmentRecord


def hexed(text):
    return sha256(text.encode()).hexdigest()


def ref(text, length=100):
    return f"{hexed(text)}-{length}"


def spec(id="j1", **given):
    known = {"id": id, "image_id": hexed("image"), "program": ref("program"), "input": ref("input")}
    known |= {"po2": 16, "cycle_limit": 1 << 20, "input_limit": 100}
    return JobSpec(**known | given)


def job(wanted, seq=1):
    return JobFacts(wanted.id, seq, wanted.priority, wanted.deadline, identity(wanted))


def session(wanted=None, *waiters, seq=1, **given):
    wanted = wanted or spec()
    known = {"name": session_name(wanted), "spec": wanted, "executed": None, "segments": {}}
    known |= {"nodes": {}, "steps": {}, "waiters": list(waiters) or [job(wanted, seq)]}
    return SessionFacts(**known | given)


def claim(index, execution=1):
    pre, post = (hexed(f"state {at} of {execution}") for at in (index, index + 1))
    return Claim(pre, post, ZERO, ZERO, 2, 0)


def segment(index, po2=16, length=100, execution=1):
    """Return a segment; as with real guests, those of two executions do not fit together."""
    name = ref(f"segment {index} of {execution}", length)
    return SegmentRecord(name, po2, claim(index, execution))


def keccak(index):
    return KeccakRecord(ref(f"keccak {index}", 50), 14, hexed(f"hashes {index}"))


def united(span):
    """Return what the proof of some keccak requests claims, and which programs prove it."""
    if span.end - span.start == 1:
        return keccak(span.start).digest, KECCAK_ROOT
    left, right = (assumption(*united(half)) for half in KECCAKS.halves(span))
    return union(left, right), RECURSION_ROOT


def executed(count, keccaks=0, receipts=()):
    """Return the end of a guest that relies on receipts, and on the hashes that it wanted."""
    assumed = [(hexed(one), ZERO, one) for one in receipts]
    if keccaks:
        assumed.append((*united(Span(0, keccaks)), ""))
    return ExecutedRecord(
        keccaks=keccaks,
        assumptions=[
            Assumed(claim, root, hexed(f"resolved {at}"), given)
            for at, (claim, root, given) in enumerate(assumed)
        ],
        image_id=hexed("image"),
        segments=count,
        sys_exit=0,
        user_exit=0,
        cycles={"total": count},
        claim=claim(0),
        journal=ref("journal"),
        stdout="",
        stderr="",
    )


def slot(number, kind="risc0", machine="m", incarnation="1", **given):
    cores = [number] if kind == "risc0" else []
    name = f"{kind}-{machine}-{number}"
    known = {"name": name, "kind": kind, "machine": machine, "cores": cores}
    known["host"] = "0.1.0 real cpu groth16"
    return Slot(**known | {"incarnation": incarnation} | given)
