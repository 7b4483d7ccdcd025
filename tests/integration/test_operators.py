"""What operators ask of a ledger: the list, removing jobs, a cancel whose answer got lost."""

from types import SimpleNamespace

import pytest
from hands import ended, spec, submit

from farm import cli_jobs, keys, removal, show
from farm.blobs import RedisBlobs
from farm.errors import JobOpen, UnknownJob
from farm.job import State, new_id
from farm.ledger import Chunk
from farm.listing import listed
from farm.outbox import Envelope

pytestmark = pytest.mark.redis


@pytest.fixture
def scratch(ledger_url):
    store = RedisBlobs.at(ledger_url, 60)
    yield store
    store.close()


def batch(ledger, inputs=()):
    id = new_id("b")
    chunk = Chunk("trace:0-4", Envelope("trace", "trace", {"inputs": list(inputs)}, ""))
    ledger.trace_submit(id, "fib.v0", 4, [chunk], size=10)
    return id


def test_the_list_has_jobs_and_batches_newest_first(ledger, blobs):
    first, second = spec(blobs), spec(blobs, input=blobs.put(b"other"), namespace="a")
    submit(ledger, first)
    ledger.namespace = "a"
    one = batch(ledger)
    ledger.namespace = ""
    submit(ledger, second)
    found = listed(ledger)
    assert [row.id for row in found] == [second.id, one, first.id]
    assert [(row.kind, row.tenant, row.text) for row in found] == [
        ("risc0", "a", "accepted"),
        ("batch", "a", "0 of 1 chunks, 4 x fib.v0"),
        ("risc0", "default", "accepted"),
    ]
    assert [row.id for row in listed(ledger, limit=2)] == [second.id, one]
    ledger.namespace = "a"
    assert [row.id for row in listed(ledger)] == [second.id, one]
    ledger.namespace = "default"
    assert [row.id for row in listed(ledger)] == [first.id]


def test_the_list_can_be_of_some_states(ledger, blobs):
    first, second = spec(blobs), spec(blobs, input=blobs.put(b"other"))
    submit(ledger, first)
    submit(ledger, second)
    ledger.cancel(first.id)
    (row,) = listed(ledger, [State.ABORTED])
    assert (row.id, row.code) == (first.id, "JobAborted")
    assert row.text == f"job {first.id} was cancelled: by request"
    assert [row.id for row in listed(ledger, [State.ACCEPTED, State.RUNNING])] == [second.id]
    assert listed(ledger, [State.FAILED]) == []


def test_an_open_job_is_listed_however_many_are_newer(ledger, blobs):
    wanted = spec(blobs)
    submit(ledger, wanted)
    ledger.client.delete(keys.RECENT_JOBS)
    assert [row.id for row in listed(ledger, [State.ACCEPTED])] == [wanted.id]


def test_how_far_a_job_is_stands_in_the_list(ledger, book, blobs):
    wanted = spec(blobs)
    submit(ledger, wanted)
    book.progress([wanted.id], segments=12, segments_known=0, proved=5, folds=2)
    (row,) = listed(ledger)
    assert (row.state, row.segments) == (State.RUNNING, 12)
    assert row.text == show.text(ledger.changes(wanted.id)[-1])


def test_a_job_that_is_removed_is_forgotten_with_its_answer(ledger, blobs, hands, start):
    start()
    wanted = spec(blobs, idempotency_key="mine")
    view = ended(ledger, submit(ledger, wanted))
    removal.job(ledger, view.id)
    with pytest.raises(UnknownJob):
        ledger.status(view.id)
    left = ledger.client.keys("farm:*")
    assert [name for name in left if view.id in name or ":key:" in name or ":idem:" in name] == []
    assert listed(ledger) == []
    assert not ledger.submit(spec(blobs), present=blobs.has).answered
    with pytest.raises(UnknownJob):
        removal.job(ledger, view.id)


def test_a_job_that_has_not_ended_is_not_removed(ledger, blobs):
    wanted = spec(blobs)
    submit(ledger, wanted)
    with pytest.raises(JobOpen, match=f"accepted: cancel it first .`farm cancel {wanted.id}`"):
        removal.job(ledger, wanted.id)
    ledger.cancel(wanted.id)
    removal.job(ledger, wanted.id)
    assert listed(ledger) == []


def test_removing_one_leaves_what_runs_for_another(ledger, book, blobs):
    first, second = spec(blobs), spec(blobs)
    submit(ledger, first)
    submit(ledger, second)
    ledger.cancel(first.id)
    removal.job(ledger, first.id)
    session = ledger.status(second.id).session
    assert [job.id for job in book.session(session).waiters] == [second.id]


def test_another_tenants_job_is_not_there_to_be_removed(ledger, blobs):
    wanted = spec(blobs, namespace="a")
    submit(ledger, wanted)
    ledger.cancel(wanted.id)
    ledger.namespace = "b"
    with pytest.raises(UnknownJob):
        removal.job(ledger, wanted.id)


def test_a_batch_is_removed_with_its_inputs_and_results(ledger, steps, scratch):
    inputs = scratch.put(b"inputs")
    id = batch(ledger, [inputs])
    with pytest.raises(JobOpen):
        removal.batch(ledger, scratch, id)
    ref = scratch.put(b"results")
    steps.lease(id, "trace:0-4", 1, "", "", "t")
    steps.trace_done(id, "trace:0-4", 1, ref)
    removal.batch(ledger, scratch, id)
    assert not scratch.has(ref) and not scratch.has(inputs)
    with pytest.raises(UnknownJob):
        ledger.trace_view(id)
    assert ledger.client.get(keys.HELD) == "0"


def test_a_cancelled_batch_leaves_nothing_in_the_scratch_store(ledger, scratch):
    farm, inputs = SimpleNamespace(ledger=ledger, scratch=scratch), scratch.put(b"inputs")
    id = batch(ledger, [inputs])
    for _ in range(2):
        facts, line = cli_jobs._cancelled(farm, id)
        assert (facts["cancelled"], line) == (True, f"{id} is cancelled")
        assert not scratch.has(inputs) and ledger.client.get(keys.HELD) == "0"
    assert ledger.trace_view(id).state is State.ABORTED


def test_the_results_of_a_batch_that_is_done_are_still_its_clients(ledger, steps, scratch):
    farm, ref = SimpleNamespace(ledger=ledger, scratch=scratch), scratch.put(b"results")
    id = batch(ledger)
    steps.lease(id, "trace:0-4", 1, "", "", "t")
    steps.trace_done(id, "trace:0-4", 1, ref)
    assert cli_jobs._cancelled(farm, id)[1] == f"{id} had ended already: succeeded"
    assert scratch.has(ref)


def test_another_tenants_batch_is_not_there(ledger, scratch):
    ledger.namespace = "a"
    id = batch(ledger)
    ledger.namespace = "b"
    farm = SimpleNamespace(ledger=ledger, scratch=scratch)
    with pytest.raises(UnknownJob):
        cli_jobs._cancelled(farm, id)
    with pytest.raises(UnknownJob):
        removal.batch(ledger, scratch, id)
    ledger.namespace = "a"
    assert ledger.trace_view(id).state is State.RUNNING


def test_a_cancel_whose_answer_got_lost_is_the_callers(ledger, blobs, monkeypatch):
    wanted = spec(blobs)
    submit(ledger, wanted)
    call = ledger.call

    def twice(name, names, args):
        call(name, names, args)  # the client library sends it again
        return call(name, names, args)

    monkeypatch.setattr(ledger, "call", twice)
    assert ledger.cancel(wanted.id)
    monkeypatch.undo()
    assert not ledger.cancel(wanted.id)
