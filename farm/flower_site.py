"""Run Flower over the farm's broker: read-only, on loopback, behind a password.

In this process rather than as `celery flower`, so that neither the password nor the
broker's address is on a command line, and nobody's FLOWER_* variables open a door.
"""

import signal
import sys

import tornado.web
from celery import Celery
from flower.app import Flower
from flower.options import default_options
from flower.urls import settings as site
from flower.views.monitor import Metrics

from farm import flower, private
from farm.settings import Settings

#: Flower needs up to eight connections at once and waits for ever when it cannot have them.
LEAST_POOL = 10


class LockedMetrics(Metrics):  # type: ignore[misc]
    """Flower leaves /metrics open to everybody; this asks for the password first."""

    @tornado.web.authenticated
    async def get(self) -> None:
        """Answer with the metrics."""
        await super().get()


def run(app: Celery, settings: Settings) -> None:
    """Serve until SIGTERM."""
    app.conf.broker_pool_limit = max(app.conf.broker_pool_limit or 0, LEAST_POOL)
    password = private.password(flower.password_file(settings))
    for name, value in flower.options(settings, password).items():
        setattr(default_options, name, value)
    pages = Flower(capp=app, options=default_options, **site)
    pages.add_handlers(r".*", [(r"/metrics", LockedMetrics)])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    pages.start_http_server()
    try:
        pages.start()
    finally:
        pages.stop()
