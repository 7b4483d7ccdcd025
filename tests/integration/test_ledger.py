"""What clients ask of the ledger: admission, single flight, kept answers, cancelling."""

import pytest
import redis

from farm import keys
from farm.errors import (
    BadInput,
    Busy,
    JobAborted,
    JobFailed,
    LedgerDown,
    UnknownJob,
    UnsafeLedger,
    WrongPassword,
)
from farm.instructions import Close, Finish
from farm.job import JobSpec, State, new_id
from farm.ledger import Ledger

REF = "ab" * 32 + "-10"
pytestmark = pytest.mark.redis


def spec(**given):
    known = {"id": new_id(), "image_id": "11" * 32, "program": REF, "input": REF}
    known |= {"po2": 16, "cycle_limit": 1 << 20, "input_limit": 100}
    return JobSpec(**known | given)


def submit(ledger, wanted, **given):
    return ledger.submit(wanted, present=lambda ref: True, **given)


def test_an_accepted_job_can_be_looked_at(ledger):
    wanted = spec(priority=3, deadline=1e10, labels={"who": "me"})
    admission = submit(ledger, wanted)
    assert admission.state is State.ACCEPTED
    assert not admission.answered
    view = ledger.status(wanted.id)
    assert view.spec == wanted
    assert view.created > 1e9
    assert view.error() is None
    assert [change.state for change in ledger.changes(wanted.id)] == [State.ACCEPTED]
    assert [job.id for job in ledger.jobs()] == [wanted.id]


def test_a_submission_sent_twice_is_one_job(ledger):
    wanted = spec()
    submit(ledger, wanted)
    assert submit(ledger, wanted).job == wanted.id
    assert len(ledger.jobs()) == 1


def test_an_idempotency_key_is_one_job_in_its_namespace(ledger):
    first = spec(idempotency_key="k")
    submit(ledger, first)
    assert submit(ledger, spec(idempotency_key="k")).job == first.id
    other = spec(idempotency_key="k", namespace="b")
    assert submit(ledger, other).job == other.id


def test_an_equal_job_shares_the_running_session(ledger):
    first, second, third = spec(), spec(cycle_limit=5), spec(namespace="other")
    assert not submit(ledger, first).attached
    assert submit(ledger, second).attached
    assert not submit(ledger, third).attached
    assert ledger.status(first.id).session == ledger.status(second.id).session
    assert ledger.status(third.id).session != ledger.status(first.id).session


def test_cancelling_one_of_two_leaves_the_other(ledger, book):
    first, second = spec(), spec()
    submit(ledger, first)
    submit(ledger, second)
    name = ledger.status(first.id).session
    assert ledger.cancel(first.id)
    assert not ledger.cancel(first.id)
    assert isinstance(ledger.status(first.id).error(), JobAborted)
    assert [job.id for job in book.session(name).waiters] == [second.id]
    assert ledger.cancel(second.id)
    assert book.session(name) is None
    assert book.sessions() == []
    third = spec()
    assert not submit(ledger, third).attached
    assert ledger.status(third.id).session != name


def test_a_full_farm_says_when_to_come_back(ledger):
    submit(ledger, spec(), cap=1)
    with pytest.raises(Busy, match="cap of 1"):
        submit(ledger, spec(namespace="other"), cap=1)


def test_a_kept_answer_is_given_at_once_while_its_blob_is_there(ledger, book):
    first = spec()
    submit(ledger, first)
    name, key = ledger.status(first.id).session, book.read("HGET", keys.job(first.id), "key")
    stats = {"segments": 2}
    end = (name, key, State.SUCCEEDED, None, REF, "j", stats)
    book.close(Close(*end))
    assert book.finish(Finish(first.id, *end))
    assert not book.finish(Finish(first.id, name, key, State.FAILED))
    again = submit(ledger, spec(po2=18, cycle_limit=7))
    assert again.answered
    view = ledger.status(again.job)
    assert (view.state, view.receipt, view.journal, view.stats) == (
        State.SUCCEEDED,
        REF,
        "j",
        stats,
    )
    assert ledger.changes(again.job)[-1].state.ended
    lost = ledger.submit(spec(), present=lambda ref: False)
    assert (lost.state, lost.answered) == (State.ACCEPTED, False)


def test_a_job_nobody_made_is_unknown(ledger):
    for ask in (ledger.status, ledger.cancel, ledger.trace_view):
        with pytest.raises(UnknownJob):
            ask("j0")


def test_waiting_for_changes_ends_with_the_first(ledger):
    wanted = spec()
    submit(ledger, wanted)
    first = ledger.changes(wanted.id)[-1]
    assert ledger.changes(wanted.id, first.id, block_ms=10) == []
    ledger.cancel(wanted.id)
    assert ledger.changes(wanted.id, first.id, block_ms=5000)[0].state is State.ABORTED


def test_a_server_that_is_not_there_is_one_error():
    with pytest.raises(LedgerDown, match="nowhere"):
        Ledger.at("unix:///tmp/nowhere.sock").jobs()


def test_a_wrong_password_is_named_and_never_shown(ledger_url):
    client = redis.Redis.from_url(ledger_url)
    client.config_set("requirepass", "right")
    try:
        ledger = Ledger.at(ledger_url.replace("unix://", "unix://:wrong@"))
        with pytest.raises(WrongPassword) as caught:
            ledger.jobs()
        assert "wrong@" not in str(caught.value)
    finally:
        client.config_set("requirepass", "")


def test_a_server_that_evicts_is_refused(ledger, ledger_url):
    assert ledger.check() == ""
    client = redis.Redis.from_url(ledger_url)
    client.config_set("maxmemory", 100 << 20)
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnsafeLedger, match="allkeys-lru"):
            ledger.check()
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")


def test_the_functions_are_loaded_again_when_they_are_gone(ledger, ledger_url):
    submit(ledger, spec())
    redis.Redis.from_url(ledger_url).function_flush()
    assert submit(ledger, spec()).attached


def test_an_idempotency_key_of_another_job_is_refused(ledger):
    first = spec(idempotency_key="k")
    submit(ledger, first)
    with pytest.raises(BadInput, match=f"'k' is of another job, {first.id}"):
        submit(ledger, spec(idempotency_key="k", image_id="22" * 32))


def test_a_job_of_another_namespace_is_unknown(ledger, ledger_url):
    ours, theirs = spec(), spec(namespace="b")
    submit(ledger, ours)
    submit(ledger, theirs)
    narrow = Ledger.at(ledger_url)
    narrow.namespace = "default"
    assert [job.id for job in narrow.jobs()] == [ours.id]
    for ask in (narrow.status, narrow.cancel):
        with pytest.raises(UnknownJob):
            ask(theirs.id)
    assert narrow.cancel(ours.id)
    assert ledger.status(theirs.id).state is State.ACCEPTED


def test_a_job_that_cannot_be_read_hides_no_other(ledger):
    first = spec()
    submit(ledger, first)
    bad = submit(ledger, spec(cycle_limit=1.5, namespace="b")).job
    assert [job.id for job in ledger.jobs()] == [first.id]
    with pytest.raises(JobFailed, match="cannot be read"):
        ledger.status(bad)


def test_a_full_server_is_busy(ledger, ledger_url):
    ledger.load()
    client = redis.Redis.from_url(ledger_url)
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(Busy, match="memory"):
            submit(ledger, spec())
        with pytest.raises(Busy, match="memory"):
            ledger.call("trace_end", ["a", "b", "c", "d", "e"], ["id"])
    finally:
        client.config_set("maxmemory", 0)


def test_a_server_that_takes_no_writes_is_unsafe(ledger, ledger_url):
    submit(ledger, spec())
    client = redis.Redis.from_url(ledger_url)
    client.replicaof("127.0.0.1", "1")
    try:
        with pytest.raises(UnsafeLedger, match="cannot write"):
            submit(ledger, spec())
    finally:
        client.replicaof("NO", "ONE")


@pytest.mark.parametrize(
    ("text", "named"),
    [("MISCONF Errors writing to the AOF file", UnsafeLedger), ("other", redis.ResponseError)],
)
def test_what_the_server_answers_to_a_submission_is_named(ledger, monkeypatch, text, named):
    answer = redis.ResponseError(text)
    monkeypatch.setattr(ledger, "_send", lambda commands, atomic: [answer] * len(commands))
    with pytest.raises(named):
        ledger.durable([("FCALL", "submit")])
