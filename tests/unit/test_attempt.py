"""One attempt at a step: what is reported, and what is not, whatever happens in it."""

import dataclasses
import threading

import msgspec
import pytest

from farm import attempt
from farm.attempt import Worker
from farm.blobs import DirectoryBlobs
from farm.children import Children
from farm.errors import GuestPanicked, LedgerDown, StoreFailed, WrongPassword
from farm.host import HostChild
from farm.session import Slot
from farm.settings import Settings
from farm.steps import Hold
from farm.watch import Dropped
from farm.wire import StepMessage


class Ledger:
    """Answers as told, and remembers what it was told."""

    def __init__(self):
        self.told, self.answers = [], {}

    def __getattr__(self, name):
        def call(*args):
            self.told.append((name, *args))
            answers = self.answers.get(name, [])
            answer = answers.pop(0) if answers else {"lease": Hold.LEASED}.get(name, Hold.HELD)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    def heard(self, name):
        return [one[1:] for one in self.told if one[0] == name]


@pytest.fixture
def worker(tmp_path, standin, monkeypatch):
    monkeypatch.setattr("farm.step.AGAIN", 0.01)
    children = Children(lambda: HostChild(standin()), 1)
    worker = Worker(
        slot=Slot(name="risc0-box-0", kind="risc0", machine="box", incarnation="abc"),
        settings=Settings(beat_seconds=0.02),
        steps=Ledger(),
        blobs=DirectoryBlobs(tmp_path),
        scratch=DirectoryBlobs(tmp_path),
        children=children,
    )
    attempt.install(worker)
    yield worker
    children.close()


def message(worker, **given):
    known = {"session": "s", "job": "j", "step": "prove:0-1", "kind": "prove", "attempt": 3}
    known |= {"slot": "risc0-box-0", "width": 2, "limit_s": 60, "args": {"cores": [0, 1]}}
    return StepMessage(**known | given).kwargs()


def test_what_a_step_makes_is_kept_and_reported(worker):
    @attempt.step
    def work(step):
        """Say what it does."""
        with step.host() as host:
            answer = host("lift", step.inputs(), {"claim": "x"})
        assert answer.done == {"verb": "lift", "width": 2, "cores": [0, 1], "claim": "x"}
        step.done(answer.parts[0])

    ref = worker.blobs.put(b"body")
    work(**message(worker, inputs=[ref]))
    ((*asked, token),) = worker.steps.heard("lease")
    assert asked == ["s", "prove:0-1", 3, "risc0-box-0", "abc"] and token
    assert worker.steps.heard("done") == [("s", "prove:0-1", 3, ref)]
    assert work.__doc__ == "Say what it does."


@pytest.mark.parametrize("answer", [Hold.STALE, Hold.CANCELLED])
def test_a_step_that_is_not_ours_is_not_begun(worker, answer):
    worker.steps.answers["lease"] = [answer]
    attempt.step(lambda step: pytest.fail("begun"))(**message(worker))
    assert [one[0] for one in worker.steps.told] == ["lease"]


def test_a_process_of_several_slots_works_as_the_one_that_a_message_names(worker):
    other = dataclasses.replace(
        worker, slot=msgspec.structs.replace(worker.slot, name="risc0-box-1"), steps=Ledger()
    )
    attempt.install(worker, other)
    attempt.step(lambda step: None)(**message(worker, slot="risc0-box-1"))
    assert [told[3] for told in other.steps.heard("lease")] == ["risc0-box-1"]
    assert worker.steps.heard("lease") == []
    assert attempt.current("risc0-box-7") is attempt.current() is worker


def test_a_message_that_cannot_be_read_is_dropped(worker):
    attempt.step(lambda step: pytest.fail("begun"))(v=7)
    attempt.step(lambda step: pytest.fail("begun"))(v=1, nonsense=True)
    assert worker.steps.told == []


@pytest.mark.parametrize("error", [GuestPanicked("no"), StoreFailed("/blobs", "full")])
def test_an_error_of_the_farm_is_reported_as_it_is(worker, error):
    def work(step):
        raise error

    attempt.step(work)(**message(worker))
    assert worker.steps.heard("failed") == [("s", "prove:0-1", 3, error)]


def test_a_bug_is_reported_too(worker):
    attempt.step(lambda step: {}["nothing"])(**message(worker))
    ((*_, error),) = worker.steps.heard("failed")
    assert str(error) == "worker: KeyError: 'nothing'"


def test_a_dropped_step_reports_nothing(worker):
    def work(step):
        raise Dropped("gone")

    attempt.step(work)(**message(worker))
    assert worker.steps.heard("failed") == []


def test_a_ledger_that_is_away_is_waited_for(worker):
    gone = LedgerDown("x", "gone")
    worker.steps.answers = {"lease": [gone, gone, Hold.LEASED], "done": [gone, Hold.HELD]}
    attempt.step(lambda step: step.done(b"body"))(**message(worker))
    assert len(worker.steps.heard("done")) == 2
    # The first answer may have got lost on its way back: what asks again is the same lease.
    assert len(set(worker.steps.heard("lease"))) == 1
    attempt.step(lambda step: None)(**message(worker))
    assert len(set(worker.steps.heard("lease"))) == 2
    assert worker.steps.heard("failed") == []


def test_a_report_that_nobody_hears_never_reaches_celery(worker):
    worker.steps.answers = {"failed": [WrongPassword("x")]}

    def work(step):
        raise GuestPanicked("no")

    attempt.step(work)(**message(worker))
    worker.steps.answers = {"lease": [ValueError("a bug")]}
    attempt.step(work)(**message(worker))


def test_a_worker_that_leaves_does_not_begin_what_waits(worker):
    order = []

    def work(step):
        with step.host():
            order.append("begun")

    with worker.children.take(lambda: None):
        thread = threading.Thread(target=attempt.step(work), kwargs=message(worker))
        thread.start()
        thread.join(0.3)
        worker.stopping.set()
        thread.join(5)
    assert order == []
    assert worker.steps.heard("failed") == []
