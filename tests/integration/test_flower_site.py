"""Flower over a real broker: closed, read-only, and it sees workers and what they do."""

import base64
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import psutil
import pytest

from farm import embedded, flower, private
from farm.settings import Settings

SITE = "import sys; sys.argv[1:] = ['flower']; from farm.cli_farm import app; app()"
WORKER = """
import sys
from farm import embedded, queue, settings
app = queue.connect(embedded.urls(settings.load()).broker)
@app.task(name="prove")
def prove(): pass
app.Worker(hostname="slot@here", queues=["q"], pool="threads", concurrency=1,
           task_events=True, without_gossip=True, without_mingle=True, quiet=True).start()
"""
SEND = """
from farm import embedded, queue, settings
app = queue.connect(embedded.urls(settings.load()).broker)
app.send_task("prove", queue="q", argsrepr="", kwargsrepr="job j12 prove 3-4 width 2")
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Return the settings of a farm that is no more than servers, Flower and a worker."""
    state = tmp_path_factory.mktemp("state")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        settings = Settings(state=state, flower_port=free.getsockname()[1])
    env = os.environ | {"FARM_STATE": str(state), "FARM_FLOWER_PORT": str(settings.flower_port)}
    with contextlib.ExitStack() as stack:

        def run(*command):
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
            stack.callback(process.wait)
            stack.callback(process.kill)

        log = stack.enter_context((state / "log").open("ab"))
        for server in embedded.servers(settings):
            server.prepare()
            run(*server.command())
        run(sys.executable, "-c", SITE)
        run(sys.executable, "-c", WORKER)
        until(lambda: get(settings, "/")[0] == 200)
        yield settings


def get(settings, path, *, user=flower.USER, password=None, data=None):
    password = password or private.password(flower.password_file(settings))
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    request = urllib.request.Request(flower.url(settings) + path, data=data)
    if user:
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except urllib.error.URLError:
        return 0, ""


def until(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("path", ["/", "/workers", "/tasks", "/api/workers", "/metrics"])
def test_every_page_asks_for_the_password(site, path):
    assert get(site, path, user="")[0] == 401
    assert get(site, path, password="guess")[0] == 401
    assert get(site, path)[0] == 200


def test_nothing_can_be_done_from_there(site):
    for verb in ("worker/shutdown/slot@here", "task/async-apply/prove", "task/send-task/prove"):
        assert get(site, f"/api/{verb}", data=b"{}")[0] == 403


def test_it_listens_on_loopback_only(site):
    with socket.socket() as other:
        # 127.0.0.2 is loopback too, but not the address that was bound.
        assert other.connect_ex(("127.0.0.2", site.flower_port)) != 0


def test_it_shows_workers_and_each_step_with_job_kind_and_span(site):
    until(lambda: "slot@here" in get(site, "/workers")[1])
    env = os.environ | {"FARM_STATE": str(site.state)}
    until(lambda: "slot@here" in json.loads(get(site, "/api/workers?refresh=1")[1] or "{}"))
    subprocess.run([sys.executable, "-c", SEND], env=env, check=True)
    columns = "draw=1&start=0&length=10&order[0][column]=0&columns[0][data]=name"
    until(lambda: "prove 3-4 of j12" in get(site, f"/tasks/datatable?{columns}")[1])


def test_the_password_is_on_no_command_line(site):
    password = private.password(flower.password_file(site))
    lines = [" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"])]
    assert any(str(site.state) in line for line in lines)
    assert not any(password in line for line in lines)
