"""Hand jobs to the ledger, many in one go: each is durable once it is answered, and one job."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from farm import keys
from farm.errors import BadInput, Busy, FarmError, OverQuota
from farm.job import Admission, JobSpec, State
from farm.quota import Quota, until_midnight
from farm.relied import is_job
from farm.session import identity, job_key, session_name

if TYPE_CHECKING:
    from farm.ledger import Ledger

#: When to come back to a farm that is full.
RETRY_SECONDS = 5


class Terms(NamedTuple):
    """What a submission goes by."""

    #: Whether a blob is in the store: an answer whose receipt is gone is made again.
    present: Callable[[str], bool] = lambda ref: True
    #: Most jobs open at once, of all tenants together.
    cap: int = 100_000
    #: What binds the tenant, None where nothing does.
    quota: Quota | None = None


def admit(ledger: "Ledger", asked: Sequence[tuple[JobSpec, Terms]]) -> list[Admission | FarmError]:
    """Return for each job its admission, or why it is not accepted.

    That is Busy when too many jobs are open, OverQuota, BadInput for an idempotency key that is
    another job's. Raises LedgerDown for all of them.
    """
    found: dict[int, Admission | FarmError] = {}
    while len(found) < len(asked):
        rest = [at for at in range(len(asked)) if at not in found]
        for at, (verdict, id) in zip(rest, _ask(ledger, [asked[at] for at in rest]), strict=True):
            if verdict != "RETRY":
                found[at] = _admission(ledger, *asked[at], verdict, id)
    return [found[at] for at in range(len(asked))]


def _ask(ledger: "Ledger", asked: Sequence[tuple[JobSpec, Terms]]) -> list[tuple[str, str]]:
    answers = [("HMGET", keys.answer(job_key(spec)), "session", "receipt") for spec, _ in asked]
    commands: list[tuple[Any, ...]] = []
    own = []
    for (spec, terms), (running, receipt) in zip(asked, ledger.calls(answers), strict=True):
        relied = [keys.job(one) for one in spec.relied_on if is_job(one)]
        if relied:
            commands.append(ledger.command("rely", relied, [keys.RETAINED]))
        own.append(len(commands))
        there = bool(receipt and terms.present(receipt))
        commands.append(_command(ledger, spec, terms, running or "", receipt or "", there))
    found = ledger.durable(commands)
    return [(found[at][0], found[at][1]) for at in own]


def _command(
    ledger: "Ledger", spec: JobSpec, terms: Terms, running: str, receipt: str, there: bool
) -> tuple[Any, ...]:
    key = job_key(spec)
    name = running or session_name(spec)
    names = [keys.job(spec.id), keys.changes(spec.id), keys.OPEN, keys.SESSIONS]
    names += [keys.answer(key), keys.session(name), keys.waiters(name)]
    names += [keys.SEQ, keys.EVENTS, keys.RECENT_JOBS, keys.OPEN_SETS, keys.TENANTS]
    names.append(keys.mine(spec.namespace))
    if spec.idempotency_key:
        names.append(keys.idempotency(spec.namespace, spec.idempotency_key))
    text = msgspec.json.encode(spec).decode()
    args = [spec.id, name, text, key, running, receipt, int(there)]
    args += [terms.cap, keys.RETAINED, keys.RECENT, *_bound(spec, terms.quota)]
    args += ["identity", identity(spec), "priority", spec.priority, "deadline", spec.deadline or ""]
    args += ["joins", 1] if spec.aggregate else []
    return ledger.command("submit", names, args)


def _bound(spec: JobSpec, quota: Quota | None) -> list[object]:
    return [spec.namespace, quota.jobs or "", quota.cycles or ""] if quota else ["", "", ""]


def _admission(
    ledger: "Ledger", spec: JobSpec, terms: Terms, verdict: str, id: str
) -> Admission | FarmError:
    if verdict == "BUSY":
        return Busy("the number of open jobs", terms.cap, RETRY_SECONDS)
    if verdict == "MANY":
        jobs = terms.quota.jobs if terms.quota else 0
        return OverQuota(spec.namespace, f"{jobs} open jobs", RETRY_SECONDS)
    if verdict == "SPENT":
        cycles = terms.quota.cycles if terms.quota else 0
        return OverQuota(spec.namespace, f"{cycles} cycles a day", until_midnight(time.time()))
    if verdict == "KNOWN":
        return _known(ledger, spec, id)
    state = State.SUCCEEDED if verdict == "ANSWERED" else State.ACCEPTED
    return Admission(id, state, verdict == "ANSWERED", verdict == "ATTACHED")


def _known(ledger: "Ledger", spec: JobSpec, id: str) -> Admission | FarmError:
    state, key = ledger.calls([("HMGET", keys.job(id), "state", "key")])[0]
    if key != job_key(spec):
        return BadInput(f"idempotency key {spec.idempotency_key!r} is of another job, {id}")
    return Admission(id, State(state))
