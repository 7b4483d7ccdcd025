"""Say of a job what Bonsai's API says of a session. Pure.

Its clients know the states RUNNING, SUCCEEDED, FAILED, TIMED_OUT and ABORTED; one that waits for
its turn RUNS, and `state` says what is done for it.
"""

import msgspec

from farm.job import Change, JobView, State

#: Priorities by the names that some servers take.
PRIORITIES = {"high": 10, "medium": 0, "low": -10}
#: Limits above this many are cycles: the API's documents say millions, its own prover sends cycles.
MOST_MILLIONS = 1_000_000
#: A million, as other servers of this API have it.
MILLION = 1 << 20
#: What stands for "any number" where a number is wanted: the most that a 64-bit one holds.
UNLIMITED = (1 << 63) - 1


class SessionStats(msgspec.Struct):
    """What a guest did; `cycles` are its own, `total_cycles` those that were proved."""

    segments: int
    total_cycles: int
    cycles: int


class SessionStatus(msgspec.Struct, kw_only=True):
    """Where a session is; times in seconds."""

    status: str
    receipt_url: str | None = None
    error_msg: str | None = None
    state: str | None = None
    elapsed_time: float | None = None
    stats: SessionStats | None = None


class SnarkStatus(msgspec.Struct, kw_only=True):
    """Where a Groth16 receipt is: `output` is the URL of it."""

    status: str
    output: str | None = None
    error_msg: str | None = None


def session(view: JobView, last: Change | None, receipt_url: str, now: float) -> SessionStatus:
    """Return what is said of a job; `receipt_url` is where its receipt can be had, "" nowhere."""
    status = _status(view)
    done = status == "SUCCEEDED"
    return SessionStatus(
        status=status,
        receipt_url=receipt_url or None if done and view.receipt else None,
        error_msg=_why(view),
        state=doing(view, last) if status == "RUNNING" else None,
        elapsed_time=round((view.finished or now) - view.created, 3),
        stats=_stats(view) if done else None,
    )


def snark(view: JobView, output: str) -> SnarkStatus:
    """Return what is said of a job that makes a Groth16 receipt, to be had at `output`."""
    status = _status(view)
    there = status == "SUCCEEDED" and view.receipt
    return SnarkStatus(status=status, output=output if there else None, error_msg=_why(view))


def doing(view: JobView, last: Change | None) -> str:
    """Return what is done for a job that has not ended, in the words of the API."""
    if view.state in (State.BUFFERED, State.ACCEPTED) or last is None:
        return "Setup"
    if not last.segments or (not last.segments_known and not last.proved):
        return "Executor"
    proved, segments = last.proved + last.keccaks_proved, last.segments + last.keccaks
    if proved < segments or not last.segments_known:
        return f"ProveSegments: {proved}/{segments}"
    if last.folds < last.folds_due:
        return f"RecursionJoin: {last.folds}/{last.folds_due}"
    return "Finalize"


def cycles(limit: int) -> int:
    """Return a limit in cycles: one of up to a million is in millions."""
    return limit if limit > MOST_MILLIONS else limit * MILLION


def _status(view: JobView) -> str:
    return view.state.value if view.state.ended else "RUNNING"


def _why(view: JobView) -> str | None:
    error = view.error()
    return f"{error.code}: {error}" if error else None


def _stats(view: JobView) -> SessionStats:
    known = view.stats.get("cycles", {})
    counts = known if isinstance(known, dict) else {}
    return SessionStats(
        segments=int(str(view.stats.get("segments", 0))),
        total_cycles=int(counts.get("total", 0)),
        cycles=int(counts.get("user", 0)),
    )
