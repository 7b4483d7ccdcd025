"""How a host child is started: a prover stands back for everything else, no other one does."""

import os
import threading
from pathlib import Path

import pytest

from farm import launch
from farm.host import HostChild


@pytest.fixture
def started(standin):
    made = []

    def start(**how):
        made.append(HostChild(standin(), **how))
        return made[-1].pid

    yield start
    for one in made:
        one.kill()
        one.close()


def nice(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


def test_a_prover_is_nice_and_who_started_it_is_not(started):
    before = nice(0)
    assert nice(started(cpus=[0])) == launch.NICE
    assert nice(0) == before
    seen = []
    thread = threading.Thread(target=lambda: seen.append(nice(0)))
    thread.start()
    thread.join()
    assert seen == [before]


def test_a_host_that_only_answers_is_not_nice_even_after_a_prover(started):
    started(cpus=[0])
    assert nice(started()) == nice(0)


def test_where_sessions_share_the_cores_the_prover_s_is_nice(started):
    session = Path(launch.SESSION.format(started(cpus=[0])))
    if not session.exists():
        pytest.skip("this kernel does not divide its cores among sessions")
    assert session.read_text().split()[-2:] == ["nice", str(launch.NICE)]


def test_where_they_do_not_it_is_started_all_the_same(started, monkeypatch, tmp_path):
    monkeypatch.setattr(launch, "SESSION", str(tmp_path / "none" / "{}"))
    assert nice(started(cpus=[0])) == launch.NICE


def test_a_kernel_that_says_not_now_is_asked_again(monkeypatch):
    answers, asked = [BlockingIOError, BlockingIOError, None], []

    def write(path, text):
        asked.append((str(path), text))
        if error := answers.pop(0):
            raise error

    monkeypatch.setattr(launch, "PAUSE", 0)
    monkeypatch.setattr(Path, "write_text", write)
    launch._stand_back(7)
    assert asked == [("/proc/7/autogroup", str(launch.NICE))] * 3
