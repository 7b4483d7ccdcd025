"""Single submits that share a batch: what is refused, what each waiter gets."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import trace, trace_plain
from farm.columns import Inputs
from farm.errors import BadTrace, JobAborted, JobFailed, WaitTimeout
from farm.job import State
from farm.lot import Lot, TraceJob

WORD = st.integers(0, (1 << 64) - 1)


def lot(program="fib.v0"):
    return Lot(program, 0.0, lambda: None)


def jobs(made, *rows):
    return [TraceJob(made, made.add(*row)) for row in rows]


def settled(made):
    made.settle(trace.prove(made.inputs(), 1000))
    return made


@given(st.lists(st.tuples(st.integers(1, 60), st.none() | st.tuples(WORD, WORD))))
def test_each_job_gets_the_proof_of_its_own_row(rows):
    made = lot()
    asked = jobs(made, *rows)
    settled(made)
    expected = [trace_plain.prove("fib.v0", n, witness or [0, 1]) for n, witness in rows]
    assert [job.wait() for job in asked] == expected


@given(st.lists(st.lists(WORD, max_size=9), min_size=1))
def test_messages_of_any_length_stay_apart(messages):
    made = lot("sha256.v0")
    asked = jobs(made, *((None, words) for words in messages))
    assert len(made) == len(messages)
    settled(made)
    expected = [trace_plain.prove("sha256.v0", 0, words) for words in messages]
    assert [job.wait() for job in asked] == expected


def breaks():
    yield 1
    raise RuntimeError("in the middle")


@pytest.mark.parametrize(
    ("rounds", "witness", "error"),
    [
        (None, None, BadTrace),
        (1.5, None, BadTrace),
        ("9", None, BadTrace),
        (9, [1, -1], BadTrace),
        (9, [1, 1 << 64], BadTrace),
        (9, [0.5, 1], BadTrace),
        (9, "ab", BadTrace),
        (9, 7, BadTrace),
        (9, breaks(), RuntimeError),
    ],
)
def test_what_is_no_row_is_refused_and_leaves_nothing(rounds, witness, error):
    made = lot()
    made.add(3, [5, 6])
    with pytest.raises(error):
        made.add(rounds, witness)
    made.add(np.uint32(4), np.array([7, 8], "<u8"))
    inputs = made.inputs()
    assert list(inputs.rows([0, 1])) == [(3, [5, 6]), (4, [7, 8])]
    assert len(Inputs.unpack(inputs.pack("x"))) == 2


@pytest.mark.parametrize(
    ("row", "text"),
    [((0,), "one round"), ((-5,), "one round"), ((1 << 70,), "over"), ((5, [1]), "two")],
)
def test_a_row_that_cannot_be_proved_fails_alone(row, text):
    made = lot()
    good, bad = jobs(made, (7,), row)
    assert good.state is bad.state is State.BUFFERED
    settled(made)
    assert (good.state, bad.state) == (State.SUCCEEDED, State.FAILED)
    assert good.done() and bad.done()
    with pytest.raises(BadTrace, match=text):
        bad.wait()
    assert good.wait() == trace_plain.prove("fib.v0", 7, [0, 1])


def test_all_wait_for_the_same_end():
    made = lot()
    asked = jobs(made, *((n,) for n in range(1, 5)))
    found = []
    threads = [threading.Thread(target=lambda j=job: found.append(j.wait(10))) for job in asked]
    for thread in threads:
        thread.start()
    settled(made)
    for thread in threads:
        thread.join()
    assert sorted(proof.steps for proof in found) == [3, 4, 5, 6]


def test_a_wait_that_is_too_long_leaves_the_job_alone():
    made = lot()
    (job,) = jobs(made, (7,))
    with pytest.raises(WaitTimeout, match="still BUFFERED after 0 s"):
        job.wait(0)
    settled(made)
    assert job.wait(0).steps == 9


def test_why_there_is_no_result_is_told_each_time_anew():
    made = lot()
    one, other = jobs(made, (7,), (8,))
    made.fail(JobAborted("b1", "by request"))
    raised = []
    for job in (one, other):
        with pytest.raises(JobAborted, match="b1 was cancelled") as error:
            job.wait()
        raised.append(error.value)
    assert raised[0] is not raised[1]
    assert one.state is other.state is State.FAILED


def test_whoever_asks_to_be_told_is_told_once():
    made, told = lot(), []
    (job,) = jobs(made, (7,))
    job.when_done(lambda: told.append("before"))
    settled(made)
    job.when_done(lambda: told.append("after"))
    assert told == ["before", "after"]


def test_a_fork_leaves_the_rows_to_the_parent():
    made = lot()
    (job,) = jobs(made, (7,))
    made.disown()
    with pytest.raises(JobFailed, match="before a fork"):
        job.wait()
