"""Messages to the broker: over a kept connection, through a full server, after a fork."""

import os

import pytest
import redis

from farm import embedded, queue
from farm.errors import LedgerDown
from farm.outbox import Envelope
from farm.publish import Publisher

pytestmark = pytest.mark.redis
MESSAGE = Envelope("trace", "trace", {"v": 1}, "r")


@pytest.fixture
def broker(settings):
    return embedded.urls(settings).broker


@pytest.fixture
def app(broker):
    return queue.connect(broker)


@pytest.fixture
def publisher(app, broker):
    made = Publisher(app, broker)
    yield made
    made.close()


def test_messages_arrive_in_one_go_or_several(app, publisher):
    publisher.send([])
    publisher.send([MESSAGE] * 3)
    publisher.close()
    publisher.send([MESSAGE])
    assert queue.length(app, "trace") == 4


def test_a_full_server_takes_nothing_and_says_so(app, publisher, ledger_url):
    publisher.send([MESSAGE])
    client = redis.Redis.from_url(ledger_url)
    client.config_set("maxmemory", 1)
    try:
        with pytest.raises(LedgerDown, match="used memory"):
            publisher.send([MESSAGE])
        with pytest.raises(LedgerDown, match="used memory"):
            queue.send_step(app, "prove@3.0.s", "prove", {}, "r")
        assert queue.length(app, "trace") == 1
    finally:
        client.config_set("maxmemory", 0)
        client.close()
    publisher.send([MESSAGE])
    assert queue.length(app, "trace") == 2


def test_a_broker_that_is_away_says_so(app, tmp_path):
    with pytest.raises(LedgerDown, match="does not answer"):
        Publisher(app, f"redis+socket://{tmp_path}/none").send([MESSAGE])
    queue.connect(f"redis+socket://{tmp_path}/none")
    with pytest.raises(LedgerDown, match="does not answer"):
        queue.length(app, "trace")


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_child_of_a_fork_has_a_connection_of_its_own(app, publisher):
    publisher.send([MESSAGE])
    child = os.fork()
    if not child:
        status = 1
        try:
            publisher.send([MESSAGE])
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    publisher.send([MESSAGE])
    assert queue.length(app, "trace") == 3
