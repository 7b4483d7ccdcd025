"""Jobs: their states, and the error that a job without a receipt comes back as."""

import pytest
from sessions import spec

from farm.errors import CycleLimitReached, JobAborted, JobTimedOut
from farm.job import BatchView, JobView, State, new_id

ENDS = [
    (State.FAILED, CycleLimitReached(10)),
    (State.ABORTED, JobAborted("j1", "by request")),
    (State.TIMED_OUT, JobTimedOut("j1", "proving 2 segments")),
]


@pytest.mark.parametrize(("state", "error"), ENDS)
def test_a_job_without_a_receipt_says_why(state, error):
    view = JobView(id="j1", state=state, spec=spec(), code=error.code, facts=list(error.facts))
    assert type(view.error()) is type(error)
    assert str(view.error()) == str(error)


def test_a_job_with_a_receipt_has_no_error():
    assert JobView(id="j1", state=State.SUCCEEDED, spec=spec()).error() is None
    known = {"program": "p", "count": 1, "chunks": 1}
    assert BatchView(id="b1", state=State.RUNNING, **known).error() is None


def test_what_has_ended_stays_so():
    ended = {state for state in State if state.ended}
    assert ended == {State.SUCCEEDED, State.FAILED, State.TIMED_OUT, State.ABORTED}


def test_ids_do_not_repeat():
    assert len({new_id() for _ in range(1000)}) == 1000
    assert new_id("b").startswith("b")
