"""Messages of steps: as Celery itself would have sent them, in order, or LedgerDown."""

import base64
import json

import pytest

from farm import embedded, queue
from farm.errors import LedgerDown
from farm.outbox import Envelope
from farm.post import Post

pytestmark = pytest.mark.redis
QUEUE = "prove@3.0.s"


@pytest.fixture
def app(settings):
    return queue.connect(embedded.urls(settings).broker)


def taken(app):
    with app.pool.acquire(block=True) as connection:
        client = connection.default_channel.client
        return [json.loads(text) for text in client.lrange(QUEUE, 0, -1)]


def known(message):
    """Return a message without the names that differ from one to the next."""
    message["body"] = json.loads(base64.b64decode(message["body"]))
    for name in ("id", "root_id"):
        assert message["headers"].pop(name)
    for name in ("correlation_id", "delivery_tag"):
        assert message["properties"].pop(name)
    return message


def test_a_message_is_what_celery_would_have_sent(app):
    kwargs = {"v": 1, "inputs": ["a", "b"], "args": {"cores": [1, 2]}}
    Post(app).send([Envelope(QUEUE, "prove", kwargs, "job j prove 0-1")])
    queue.send_step(app, QUEUE, "prove", kwargs, "job j prove 0-1")
    celerys, ours = map(known, taken(app))
    assert ours == celerys


def test_messages_keep_their_order_and_have_names_of_their_own(app):
    Post(app).send([Envelope(QUEUE, "prove", {"n": n}, "") for n in range(5)])
    found = taken(app)
    bodies = [json.loads(base64.b64decode(one["body"])) for one in found]
    assert [body[1]["n"] for body in bodies] == [4, 3, 2, 1, 0]  # taken from the other end
    assert len({one["headers"]["id"] for one in found}) == 5
    assert len({one["properties"]["delivery_tag"] for one in found}) == 5


def test_a_broker_that_is_away_is_said_to_be(tmp_path):
    app = queue.connect(f"redis+socket://{tmp_path}/none")
    with pytest.raises(LedgerDown, match="does not answer"):
        Post(app).send([Envelope(QUEUE, "prove", {}, "")])
