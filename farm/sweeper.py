"""Sweep now and then, or once: the process that keeps the blobs of a farm from filling its disk.

Of several sweepers on one ledger one takes each turn. It is nice: nobody waits for it.
"""

import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable

import structlog

from farm import about, embedded, logline
from farm.errors import FarmError
from farm.remains import Remains
from farm.retention import Keep
from farm.settings import Settings
from farm.store import Store
from farm.sweep import Limits, Stopped, Sweep, Swept

log = structlog.get_logger()

#: How much nicer than others the process is.
NICE = 10
#: Share of the time between two sweeps that one's turn lasts, and after which the first begins.
TURN, FIRST = 0.9, 0.1


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Sweep every `sweep_minutes` until told to stop (by `stop`, else SIGTERM or SIGINT).

    Raises LedgerDown when the farm is not up.
    """
    if stop is None:
        logline.configure()
        os.nice(NICE)
        stop = _on_signals()
    remains, store = Remains.at(embedded.urls(settings).ledger), store_of(settings)
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    seconds = settings.sweep_minutes * 60
    wait = seconds * FIRST
    while not stop.wait(wait or None):
        wait = seconds
        try:
            if remains.turn(holder, seconds * TURN):
                swept = once(settings, remains, store, stopping=stop.is_set)
                log.info("swept", what=text(swept), seconds=round(swept.seconds, 1))
        except Stopped:
            return
        except FarmError as error:
            log.warning("sweep left off", error=str(error))
        except Exception:  # what could not be read is there the next time, too
            log.exception("sweep left off")


def once(
    settings: Settings,
    remains: Remains,
    store: Store,
    *,
    dry: bool = False,
    stopping: Callable[[], bool] = lambda: False,
) -> Swept:
    """Return what came of one sweep, which the ledger is told of; a `dry` one only counts.

    Raises WrongStore or WrongLedger for those of another farm; Stopped, LedgerDown or StoreFailed
    on the way.
    """
    about.check_sweep(remains, store)
    swept = Sweep(remains, store, limits(settings), dry=dry, stopping=stopping).run()
    if not dry:
        about.note(remains, {"swept": str(remains.now()), "swept_text": text(swept)})
    return swept


def limits(settings: Settings) -> Limits:
    """Return what a sweep goes by; the guard is the longest step."""
    keep = Keep(
        jobs=settings.keep_jobs_days * 86400,
        receipts=settings.keep_receipts_days * 86400,
        nodes=settings.keep_nodes_hours * 3600,
        bytes=settings.keep_bytes,
    )
    return Limits(keep, settings.step_seconds)


def store_of(settings: Settings) -> Store:
    """Return the blob store of a farm."""
    return Store(settings.state / "blobs")


def text(swept: Swept) -> str:
    """Return what came of a sweep, as one line."""
    records = f"{swept.jobs} jobs, {swept.sessions} sessions, {swept.answers} answers forgotten"
    went = f"{swept.blobs} blobs ({swept.bytes:,} bytes) deleted"
    left = f"{swept.left_blobs} blobs ({swept.left_bytes:,} bytes) left"
    return f"{records}, {went}, {left}"


def _on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
