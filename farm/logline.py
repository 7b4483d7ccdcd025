"""How a process of the farm writes its log: a line an event, no values of variables."""

import logging
import sys

import structlog


def configure() -> None:
    """Write the farm's events and the libraries' alike; call once, at the start of a process."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s [%(levelname)s] %(message)s"
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S"),
            # The default shows the values of variables: a segment's bytes are private.
            structlog.dev.ConsoleRenderer(
                colors=False, exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
