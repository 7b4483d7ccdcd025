"""Hand messages of steps to the broker in one go, each made after one that Celery has made.

Celery takes hundreds of microseconds for a message, of which next to nothing differs from one to
the next. So it makes one, which a transport in memory keeps, and of that only names, arguments
and address are new each time.
"""

import base64
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import msgspec
from celery import Celery
from kombu import Connection
from kombu.exceptions import KombuError, OperationalError
from redis import RedisError

from farm.errors import LedgerDown
from farm.outbox import Envelope
from farm.queue import send_step, shown


class Post:
    """The way of one process to the broker."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._form: dict[str, Any] = {}
        #: What Celery puts after the arguments of a task.
        self._rest: Any = None

    def send(self, messages: Sequence[Envelope]) -> None:
        """Send the messages, in order.

        Raises LedgerDown, within seconds, when the broker does not take them; some may have been
        sent then.
        """
        if not self._form:
            self._form = form(self._app)
            self._rest = _body(self._form)[2]
        try:
            with self._app.pool.acquire(block=True) as acquired:
                connection: Any = acquired  # the types know the channels of AMQP alone
                pipeline = connection.default_channel.client.pipeline(transaction=False)
                for message in messages:
                    pipeline.lpush(message.queue, self.text(message))
                pipeline.execute()
        except (RedisError, OperationalError, KombuError, OSError) as error:
            raise LedgerDown(shown(self._app.conf.broker_url), error) from error

    def text(self, message: Envelope) -> bytes:
        """Return a message as it lies in the broker's list."""
        form, id = self._form, str(uuid4())
        body = msgspec.json.encode(((), message.kwargs, self._rest))
        named = {"task": message.task, "id": id, "root_id": id, "kwargsrepr": message.repr}
        address = form["properties"]["delivery_info"] | {"routing_key": message.queue}
        sent = {"correlation_id": id, "delivery_tag": str(uuid4()), "delivery_info": address}
        sent["kwargsrepr"] = message.repr
        whole = {
            "body": base64.b64encode(body).decode(),
            "headers": form["headers"] | named,
            "properties": form["properties"] | sent,
        }
        return msgspec.json.encode(form | whole)


def form(app: Celery) -> dict[str, Any]:
    """Return a message that Celery has made, as a broker keeps it."""
    with Connection("memory://") as connection:
        channel: Any = connection.channel()  # the types know the channels of AMQP alone
        send_step(app, "form", "form", {}, "", producer=connection.Producer(channel))
        return dict(channel._get("form"))


def _body(message: dict[str, Any]) -> Any:
    return msgspec.json.decode(base64.b64decode(message["body"]))
