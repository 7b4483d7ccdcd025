"""The host child: what it answers, and what becomes of a request when it does not."""

import errno
import subprocess
import sys
import threading
import time

import pytest

from farm.errors import (
    CycleLimitReached,
    FarmError,
    HostDied,
    HostFailed,
    HostMismatch,
    HostMissing,
    StepHung,
)
from farm.host import HostChild


@pytest.fixture
def child(standin):
    child = HostChild(standin())
    yield child
    child.kill()
    child.close()


def test_bodies_come_back_whole_and_in_order(child):
    parts = [b"", b"a" * 70_000, b"\0" * 3]
    answer = child.request("echo", {"width": 2}, parts)
    assert answer.parts == parts
    assert answer.done == {"verb": "echo", "width": 2}
    assert child.request("echo", {}, [b"again"]).parts == [b"again"]


def test_the_greeting_tells_the_version(child):
    assert (child.greeting.protocol, child.greeting.zkvm) == (1, "3.0.6")
    assert child.greeting.pid == child.pid


def test_cores_and_replay_are_handed_to_the_child(standin, tmp_path):
    made = HostChild(standin(), cpus=[0], replay=str(tmp_path))
    assert made.alive
    made.close()
    assert not made.alive


def test_segments_arrive_while_the_execution_goes_on(child):
    seen = []
    answer = child.request(
        "execute", {"segments": 3}, on_segment=lambda facts, body: seen.append((facts, body))
    )
    assert [facts["index"] for facts, _ in seen] == [0, 1, 2]
    assert seen[1][1] == b"segment 1"
    assert answer.done["segments"] == 3


def test_a_receiver_that_fails_ends_the_execution_and_the_child(child):
    def full(facts, body):
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        child.request("execute", {"segments": 1000, "spin": 0.01}, on_segment=full)
    assert not child.alive


def test_keccak_requests_arrive_too(child):
    seen = []
    takes = {"on_keccak": lambda facts, body: seen.append((facts["index"], body))}
    child.request("execute", {"emits": "keccak", "segments": 2}, **takes)
    assert seen == [(0, b"segment 0"), (1, b"segment 1")]


@pytest.mark.parametrize("emits", ["segment", "keccak"])
def test_what_nobody_asked_for_ends_the_child(child, emits):
    takes = {"on_segment": lambda facts, body: None} if emits == "keccak" else {}
    with pytest.raises(HostDied, match="not asked for"):
        child.request("execute", {"emits": emits}, **takes)


def test_a_failure_comes_back_as_its_class_with_its_facts(child):
    with pytest.raises(CycleLimitReached, match="limit of 4096 cycles"):
        child.request("fail", {"kind": "CycleLimitReached", "facts": [4096]})
    assert child.request("echo").done  # a guest's failure is not the host's


def test_a_prover_that_failed_is_not_asked_again(child):
    with pytest.raises(HostFailed, match="host prove: out of memory"):
        child.request("fail", {"kind": "HostFailed", "facts": ["prove", "out of memory"]})
    assert not child.alive


def test_an_unknown_kind_is_still_an_error_of_the_farm(child):
    with pytest.raises(FarmError, match="Novelty: 7"):
        child.request("fail", {"kind": "Novelty", "facts": [7]})


@pytest.mark.parametrize(
    ("args", "how"), [({"code": 70}, "exit code 70"), ({"signal": True}, "signal SIGKILL")]
)
def test_a_child_that_dies_leaves_its_last_words(child, args, how):
    with pytest.raises(HostDied) as caught:
        child.request("die", args)
    assert how in str(caught.value)
    assert "cannot go on: no memory" in str(caught.value)
    assert not child.alive


def test_asking_the_dead_says_so(child):
    child.kill()
    with pytest.raises(HostDied, match="host echo: the child ended with signal SIGKILL"):
        child.request("echo", {}, [b"x" * (1 << 20)])


@pytest.mark.parametrize("verb", ["garbage", "wrong-id", "nothing"])
def test_what_is_no_answer_ends_the_child(child, verb):
    with pytest.raises(HostDied, match="broken frame"):
        child.request(verb)
    assert not child.alive


def test_two_megabytes_of_stderr_do_not_block_it(child):
    assert child.request("chatter", {}, [b"body"]).parts == [b"body"]
    with pytest.raises(HostDied, match="yyyy"):
        child.request("die", {})


def test_killing_from_another_thread_gives_the_reason(child):
    reason = StepHung("hang", 1)
    threading.Timer(0.2, child.kill, [reason]).start()
    start = time.monotonic()
    with pytest.raises(StepHung) as caught:
        child.request("hang")
    assert caught.value is reason
    assert time.monotonic() - start < 5


def test_a_request_may_have_its_own_time(child):
    with pytest.raises(StepHung, match=r"no progress for 0.2 s"):
        child.request("hang", seconds=0.2)


def test_requests_of_two_threads_take_turns(child):
    answers = []

    def ask(n):
        for _ in range(20):
            answers.append(child.request("echo", {"n": n}, [b"%d" % n]))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert all(answer.parts == [b"%d" % answer.done["n"]] for answer in answers)


def test_no_binary_is_said_in_one_line(tmp_path):
    with pytest.raises(HostMissing, match=r"no farm-host at .*nowhere; build it"):
        HostChild(str(tmp_path / "nowhere"))
    text = tmp_path / "text"
    text.write_text("not a program")
    with pytest.raises(HostMissing):
        HostChild(str(text))


def test_another_version_is_refused(standin):
    with pytest.raises(HostMismatch, match=r"speaks protocol 1 of zkVM 3\.1\.0, the farm needs"):
        HostChild(standin(FARM_STANDIN_ZKVM="3.1.0"))


def test_a_program_that_does_not_greet_is_refused(standin):
    with pytest.raises(HostMismatch, match=r"no greeting \(exit code 1: error: unexpected arg"):
        HostChild(standin(FARM_STANDIN_GREETING="none"))
    with pytest.raises(HostMismatch, match="no greeting"):
        HostChild("/bin/true")


def test_a_child_killed_before_it_greets_says_nothing_of_its_version(tmp_path):
    script = tmp_path / "farm-host"
    script.write_text("#!/bin/sh\nkill -9 $$\n")
    script.chmod(0o700)
    with pytest.raises(HostDied, match="SIGKILL"):
        HostChild(str(script))


def test_a_process_that_cannot_be_made_is_no_missing_host(monkeypatch):
    def full(*_, **__):
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("farm.launch.subprocess.Popen", full)
    with pytest.raises(HostDied, match="temporarily unavailable"):
        HostChild("/bin/true")


def test_a_child_that_never_greets_is_given_up(standin, monkeypatch):
    monkeypatch.setattr("farm.host.GREETING_SECONDS", 0.3)
    with pytest.raises(StepHung, match="host hello"):
        HostChild(standin(FARM_STANDIN_GREETING="late"))


def test_a_child_outlives_the_thread_that_asked_for_it(standin):
    # The kernel would end it with the thread that started it.
    made = []
    thread = threading.Thread(target=lambda: made.append(HostChild(standin())))
    thread.start()
    thread.join()
    time.sleep(0.1)
    assert made[0].request("echo").done
    made[0].close()


def test_a_forked_process_starts_children_of_its_own(standin):
    program = f"""
import os, sys
from farm.host import HostChild
HostChild({standin()!r}).close()
child = os.fork()
if not child:
    HostChild({standin()!r}).close()
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 7


def test_closing_lets_it_leave_by_itself(standin):
    child = HostChild(standin())
    child.close()
    assert child._process.returncode == 0
