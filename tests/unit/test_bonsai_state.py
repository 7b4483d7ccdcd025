"""What Bonsai's API says of a job, from where the job is."""

import pytest

from farm.api import bonsai_state as said
from farm.job import Change, JobSpec, JobView, State

SPEC = JobSpec(id="j1", image_id="ab", program="p", input="i", po2=20, cycle_limit=1, input_limit=1)


def view(state, **more):
    return JobView(id="j1", state=state, spec=SPEC, created=100.0, **more)


def change(**counts):
    return Change(id="1-1", state=State.RUNNING, **counts)


@pytest.mark.parametrize(
    ("state", "last", "doing"),
    [
        (State.ACCEPTED, change(), "Setup"),
        (State.RUNNING, None, "Setup"),
        (State.RUNNING, change(), "Executor"),
        (State.RUNNING, change(segments=3), "Executor"),
        (State.RUNNING, change(segments=3, proved=1), "ProveSegments: 1/3"),
        (State.RUNNING, change(segments=3, segments_known=True), "ProveSegments: 0/3"),
        (
            State.RUNNING,
            change(segments=3, segments_known=True, proved=3, keccaks=2, keccaks_proved=1),
            "ProveSegments: 4/5",
        ),
        (
            State.RUNNING,
            change(segments=3, segments_known=True, proved=3, folds=1, folds_due=2),
            "RecursionJoin: 1/2",
        ),
        (
            State.RUNNING,
            change(segments=3, segments_known=True, proved=3, folds=2, folds_due=2),
            "Finalize",
        ),
    ],
)
def test_a_job_that_waits_or_runs_is_running_and_says_with_what(state, last, doing):
    told = said.session(view(state), last, "http://x/r", 101.5)
    assert (told.status, told.state, told.elapsed_time) == ("RUNNING", doing, 1.5)
    assert told.receipt_url is None and told.stats is None and told.error_msg is None


def test_one_that_has_succeeded_has_what_its_client_insists_on():
    stats = {"segments": 2, "cycles": {"user": 5, "total": 9}}
    done = view(State.SUCCEEDED, finished=103.0, receipt="r", journal="j", stats=stats)
    told = said.session(done, None, "http://x/r", 200.0)
    assert told.receipt_url == "http://x/r" and told.elapsed_time == 3.0 and told.state is None
    assert (told.stats.segments, told.stats.total_cycles, told.stats.cycles) == (2, 9, 5)
    assert said.session(done, None, "", 200.0).receipt_url is None
    assert said.snark(done, "http://x/g").output == "http://x/g"


def test_a_receipt_that_is_not_there_any_more_has_no_url():
    swept = view(State.SUCCEEDED, finished=103.0, journal="j")
    assert said.session(swept, None, "http://x/r", 200.0).receipt_url is None
    assert said.snark(swept, "http://x/g").output is None


@pytest.mark.parametrize("state", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_one_that_has_ended_badly_says_why(state):
    ended = view(State(state), finished=103.0, code="GuestPanicked", facts=["no"])
    told = said.session(ended, None, "http://x/r", 200.0)
    assert told.status == state and told.error_msg == "GuestPanicked: guest panicked: no"
    assert told.receipt_url is None and told.stats is None


@pytest.mark.parametrize(
    ("given", "cycles"), [(1, 1 << 20), (1_000_000, 1_000_000 << 20), (1_000_001, 1_000_001)]
)
def test_a_limit_is_read_in_millions_or_in_ones(given, cycles):
    assert said.cycles(given) == cycles
