"""The supervisor over real processes: order, restarts, refusals, nothing left behind."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from farm import supervise
from farm.child import Child
from farm.errors import StartFailed
from farm.processes import Process, Stage
from farm.supervise import Supervisor

PYTHON = (sys.executable, "-I", "-S", "-c")
#: Says what happens to it, and leaves when asked.
POLITE = """
import signal, sys, time
def leave(*_): print(sys.argv[1], "leaves", flush=True); sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print(sys.argv[1], "starts", flush=True)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("worker starts", flush=True)
time.sleep(60)
"""


class Farm:
    """A supervisor over made-up processes; every child writes to one file."""

    def __init__(self, folder):
        self.log = folder / "all.log"
        self.log.touch()
        self.children, self.news, self.on_ready = [], [], lambda: signal_us(signal.SIGTERM)
        self.ready = False

    def add(self, name, stage, script=POLITE):
        process = Process(name, (*PYTHON, script, name), stage)
        self.children.append(Child(process, self.log, dict(os.environ)))
        return self.children[-1]

    def run(self, worker_seconds=10.0):
        supervisor = Supervisor(
            self.children, self.answered, self.changed, worker_seconds=worker_seconds
        )
        supervisor.run()

    def answered(self, children):
        text = self.log.read_text()
        return {c.process.name for c in children if f"{c.process.name} starts" in text}

    def changed(self, ready, news):
        self.news += [news] if news else []
        if ready and not self.ready:
            self.ready = True
            self.on_ready()

    def lines(self, word):
        at = 1 if word == "inner" else 0
        return [line.split()[at] for line in self.log.read_text().splitlines() if word in line]


def signal_us(number):
    os.kill(os.getpid(), number)


def later(action):
    """Act from a thread: the supervisor runs on the main one."""
    threading.Thread(target=action, daemon=True).start()


def until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def farm(tmp_path, monkeypatch):
    # On a busy machine it may take long enough for the operator to be told.
    monkeypatch.setattr(supervise, "TELL_SECONDS", 3600.0)
    return Farm(tmp_path)


def test_servers_start_first_and_stop_last(farm):
    farm.add("worker", Stage.WORKER)
    farm.add("scheduler", Stage.SCHEDULER)
    farm.add("flower", Stage.FLOWER)
    farm.add("server", Stage.SERVER)
    farm.run()
    assert farm.lines("starts")[0] == "server"
    assert farm.lines("leaves") == ["worker", "scheduler", "flower", "server"]
    assert [child.pid for child in farm.children] == [0, 0, 0, 0]


def test_what_dies_is_started_again(farm):
    worker = farm.add("worker", Stage.WORKER)

    def kill_it():
        os.kill(worker.pid, signal.SIGKILL)
        until(lambda: len(farm.lines("starts")) == 2)
        signal_us(signal.SIGTERM)

    farm.on_ready = lambda: later(kill_it)
    farm.run()
    assert worker.restarts == 1
    assert farm.news == [
        f"worker was ended by SIGKILL; starting it again (see {farm.log})",
    ]


def test_what_cannot_work_is_left_alone_and_its_line_shown(farm):
    hopeless = farm.add("hopeless", Stage.WORKER, "import sys; print('no host'); sys.exit(3)")
    hopeless.log = farm.log.with_name("hopeless.log")
    farm.add("other", Stage.WORKER)
    farm.run()
    assert farm.news == ["hopeless cannot work: no host"]
    assert hopeless.restarts == 0


def test_what_never_stays_up_ends_the_start_with_its_own_words(farm):
    farm.add("server", Stage.SERVER)
    farm.add("broken", Stage.WORKER, "import sys; sys.exit('disk is full')")
    with pytest.raises(StartFailed, match="broken does not start: disk is full"):
        farm.run()
    assert not farm.ready
    assert farm.lines("leaves") == ["server"]


@pytest.mark.parametrize("signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGQUIT]])
def test_asked_twice_or_sharply_it_does_not_wait_for_work(farm, signals):
    worker = farm.add("worker", Stage.WORKER, STUBBORN)

    def ask():
        for number in signals:
            signal_us(number)
            time.sleep(0.3)

    farm.on_ready = lambda: later(ask)
    farm.run(worker_seconds=1000)
    assert worker.reap() == -signal.SIGKILL


def test_work_that_takes_too_long_is_ended(farm):
    worker = farm.add("worker", Stage.WORKER, STUBBORN)
    farm.run(worker_seconds=0.2)
    assert worker.reap() == -signal.SIGKILL


def test_a_dead_childs_own_children_go_with_it(farm):
    script = f"""
import subprocess, sys, time
inner = subprocess.Popen({[*PYTHON, STUBBORN]!r})
print("inner", inner.pid, flush=True)
time.sleep(60)
"""
    worker = farm.add("worker", Stage.WORKER, script)
    inner = []

    def kill_it():
        inner.append(int(farm.lines("inner")[0]))
        os.kill(worker.pid, signal.SIGKILL)
        until(lambda: len(farm.lines("starts")) == 2)
        signal_us(signal.SIGQUIT)

    farm.on_ready = lambda: later(kill_it)
    farm.run()
    until(lambda: not alive(inner[0]))


def test_children_end_with_a_supervisor_that_is_killed(tmp_path):
    script = f"""
import sys, time
sys.path.insert(0, {str(Path.cwd())!r})
from pathlib import Path
from farm.child import Child
from farm.processes import Process, Stage
command = {[*PYTHON, STUBBORN]!r}
child = Child(Process("c", command, Stage.WORKER), Path({str(tmp_path / "log")!r}), {{}})
child.start()
print(child.pid, flush=True)
time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert alive(pid)
        parent.kill()
        until(lambda: not alive(pid))


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
