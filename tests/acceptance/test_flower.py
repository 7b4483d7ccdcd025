"""What an operator sees in Flower while jobs are proved: workers online and busy, steps by name."""

import base64
import json
import urllib.error
import urllib.request

import pytest
from console import farm_in, free_port, until
from goldens import BLOBS, GOLDEN, PO2, stdin

from farm import Farm, flower


@pytest.fixture
def site(tmp_path, host):
    slow = {"replay_delay_ms": 3000, "flower": True, "flower_port": free_port()}
    yield from farm_in(tmp_path, host=host, replay=str(GOLDEN), **slow)


def get(site, path, *, secret=True):
    request = urllib.request.Request(flower.url(site.settings) + path)
    if secret:
        password = flower.password_file(site.settings).read_text().strip()
        token = base64.b64encode(f"{flower.USER}:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b""


def test_steps_and_workers_are_seen_while_they_prove(site):
    assert get(site, "/api/workers", secret=False)[0] == 401
    with Farm(settings=site.settings) as farm:
        job = farm.submit(BLOBS / "fibonacci.bin", stdin("two"), po2=PO2)
        until(lambda: "STARTED" in states(site))
        until(lambda: any(one["active"] for one in workers(site)))
        assert all(one["status"] for one in workers(site))
        assert {one["hostname"].split("-")[0] for one in workers(site)} >= {"risc0", "execute"}
        job.wait(60)
        until(lambda: f"job {job.id} join 0-2" in steps(site))
        assert {f"job {job.id} prove {span}" for span in ("0-1", "1-2")} <= steps(site)


def workers(site):
    return json.loads(get(site, "/workers?json=1")[1])["data"]


def tasks(site):
    return json.loads(get(site, "/api/tasks")[1]).values()


def states(site):
    return {task["state"] for task in tasks(site)}


def steps(site):
    return {task["kwargs"].partition(" width")[0] for task in tasks(site)}
