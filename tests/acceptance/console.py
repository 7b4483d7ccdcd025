"""An operator at a console: types `farm` commands for one state folder, and looks at processes."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import psutil

from farm import embedded, running
from farm.settings import Settings

FARM = (sys.executable, "-m", "farm")


def until(condition, seconds=20.0):
    """Return once the condition holds; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


def free_port():
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Operator:
    """Types `farm` commands for one state folder."""

    def __init__(self, state, **settings):
        self.state = state
        given = {f"FARM_{name.upper()}": _text(value) for name, value in settings.items()}
        self.env = os.environ | {"FARM_STATE": str(state)} | given
        known = {name: value for name, value in settings.items() if name in Settings.model_fields}
        self.settings = Settings(state=state, **known)

    def types(self, *words, **env):
        """Return the finished command."""
        return subprocess.run(
            [*FARM, *words], env=self.env | env, capture_output=True, text=True, timeout=120
        )

    def start(self):
        """Start the farm in the background."""
        up = self.types("up", "--detach")
        assert up.returncode == 0, up.stderr

    @contextlib.contextmanager
    def types_up(self):
        """Have a farm in the foreground for the block."""
        command = [*FARM, "up"]
        with subprocess.Popen(command, env=self.env, stderr=subprocess.PIPE, text=True) as up:
            try:
                until(lambda: self.is_ready() or up.poll() is not None, 60)
                assert up.poll() is None, up.stderr.read()
                yield up, self.processes()
            finally:
                if up.poll() is None:
                    up.kill()

    def is_ready(self):
        """Return whether the farm says that all its processes have answered."""
        return (found := running.status(self.state)) is not None and found.ready

    def processes(self):
        """Return the farm's processes by name."""
        return {one.name: one for one in running.status(self.state).processes}

    def pid(self, name):
        """Return the process id of one of the farm's processes."""
        return self.processes()[name].pid

    def hosts(self, name):
        """Return the host children of a worker."""
        children = psutil.Process(self.pid(name)).children(recursive=True)
        return [child for child in children if "farm-host" in child.name()]

    def answers(self):
        """Return how many proving answers the farm's hosts have given so far."""
        logs = (self.state / "logs").glob("*.log")
        return sum(log.read_text(errors="replace").count("host answered") for log in logs)

    def ledger_socket(self):
        """Return the path of the ledger's socket."""
        return urlsplit(embedded.urls(self.settings).ledger).path

    def left(self):
        """Return the processes that belong to this farm."""
        ours = f"FARM_STATE={self.state}"
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                environ = [f"{name}={value}" for name, value in process.environ().items()]
                if ours in environ and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def kill_all(self):
        """Kill every process of the farm at once."""
        for process in self.left():
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        until(lambda: not self.left())


def farm_in(folder, **settings):
    """Have a started farm for a test, and see that it leaves nothing behind."""
    one = Operator(folder / "state", **{"flower": False, "machine": "m", "slots": 2} | settings)
    one.start()
    yield one
    one.types("down", "--now")
    assert one.left() == []


def _text(value):
    return json.dumps(value) if isinstance(value, dict) else str(value)
