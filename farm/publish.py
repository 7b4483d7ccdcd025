"""Hand many messages to the broker in one go, over a connection that is kept."""

import contextlib
import os
import threading
from collections.abc import Sequence
from typing import Any

from celery import Celery
from kombu.exceptions import KombuError, OperationalError

from farm import address
from farm.errors import LedgerDown
from farm.outbox import Envelope

#: Messages that share one round trip.
TOGETHER = 200

_ERRORS = (OperationalError, KombuError, OSError)


class Publisher:
    """The messages of one client. Safe to use from several threads, and after a fork."""

    def __init__(self, app: Celery, broker_url: str) -> None:
        self._app, self._url = app, broker_url
        self._begin()

    def _begin(self) -> None:
        self._lock, self._pid = threading.Lock(), os.getpid()
        self._connection: Any = None
        self._producer: Any = None  # its types do not know `batch` yet

    def send(self, messages: Sequence[Envelope]) -> None:
        """Send the messages, in order.

        Raises LedgerDown when the broker does not take them; some may have been sent then.
        """
        if self._pid != os.getpid():  # lock and connection are those of before the fork
            self._begin()
        with self._lock:
            kept = self._producer is not None
            try:
                self._send(messages)
            except _ERRORS as error:
                self._close()
                if not kept:
                    raise LedgerDown(address.shown(self._url), error) from error
                self._send_anew(messages)

    def _send_anew(self, messages: Sequence[Envelope]) -> None:
        # The broker was started again since: what it got twice, a lease refuses.
        try:
            self._send(messages)
        except _ERRORS as error:
            self._close()
            raise LedgerDown(address.shown(self._url), error) from error

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        connection, self._connection, self._producer = self._connection, None, None
        if connection is not None:
            with contextlib.suppress(*_ERRORS):
                connection.release()

    def _send(self, messages: Sequence[Envelope]) -> None:
        if self._producer is None:
            self._connection = self._app.connection_for_write(self._url)
            self._producer = self._connection.Producer()
        with self._producer.batch(TOGETHER):
            for message in messages:
                self._app.send_task(
                    message.task,
                    kwargs=message.kwargs,
                    queue=message.queue,
                    argsrepr="",
                    kwargsrepr=message.repr,
                    producer=self._producer,
                    retry=False,
                    ignore_result=True,
                )
