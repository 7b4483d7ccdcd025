"""Hand many messages to the broker in one go."""

from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from farm import address
from farm.errors import LedgerDown
from farm.outbox import Envelope

#: Messages that share one round trip.
TOGETHER = 200


def send_all(app: Celery, broker_url: str, messages: Sequence[Envelope]) -> None:
    """Send the messages, in order, over a connection of their own.

    Raises LedgerDown when the broker does not take them; some may have been sent then.
    """
    try:
        with app.connection_for_write(broker_url) as connection:
            producer: Any = connection.Producer()  # its types do not know `batch` yet
            with producer.batch(TOGETHER):
                for message in messages:
                    app.send_task(
                        message.task,
                        kwargs=message.kwargs,
                        queue=message.queue,
                        argsrepr="",
                        kwargsrepr=message.repr,
                        producer=producer,
                        retry=False,
                        ignore_result=True,
                    )
    except (OperationalError, KombuError, OSError) as error:
        raise LedgerDown(address.shown(broker_url), error) from error
