"""Queues: one per slot and lane, one for trace; a broker that is away is said at once."""

import time

import pytest

from farm import queue
from farm.errors import LedgerDown


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("execute", "execute@3.0.s-1"),
        ("prove", "prove@3.0.s-1"),
        ("join", "fold@3.0.s-1"),
        ("resolve", "fold@3.0.s-1"),
        ("trace", "trace"),
    ],
)
def test_a_step_goes_to_the_lane_of_its_slot(kind, name):
    assert queue.queue_of(kind, "s-1") == name


def test_a_worker_consumes_what_is_sent_to_its_slot():
    assert queue.queues_of("risc0", "s-1") == ["prove@3.0.s-1", "fold@3.0.s-1", "wrap@3.0.s-1"]
    assert queue.queues_of("execute", "s-1") == ["execute@3.0.s-1"]
    assert queue.queues_of("trace", "s-1") == ["trace"]


def test_every_lane_has_a_worker():
    consumed = {lane for lanes in queue.CONSUMED.values() for lane in lanes}
    assert set(queue.LANES.values()) == consumed


def test_only_json_is_read_and_no_result_is_kept():
    assert queue.app.conf.accept_content == ["json"]
    assert queue.app.conf.task_ignore_result is True
    assert queue.app.conf.result_backend is None


@pytest.mark.parametrize(
    ("given", "spelled"),
    [
        ("redis://:pw@h:6379/1", "redis://:pw@h:6379/1"),
        ("unix://:pw@/run/s?db=1", "redis+socket://:pw@/run/s?virtual_host=1"),
        ("redis+socket:///run/s?virtual_host=1", "redis+socket:///run/s?virtual_host=1"),
    ],
)
def test_an_address_is_spelled_as_celery_wants_it(given, spelled):
    assert queue.connect(given).conf.broker_url == spelled


def test_a_broker_that_is_away_is_said_soon_and_without_the_password(tmp_path):
    app = queue.connect(f"unix://:secret@{tmp_path}/none?db=0")
    start = time.monotonic()
    with pytest.raises(LedgerDown) as caught:
        queue.send_step(app, "trace", "trace", {}, "nothing")
    assert time.monotonic() - start < 3
    assert "secret" not in str(caught.value)
    assert "none does not answer" in str(caught.value)
