"""Run the scheduler: events from the ledger in, instructions out, a look around every beat.

The only place that sends tasks. One process at a time holds the epoch; another one waits for
it. Whatever goes wrong on the way (the ledger gone, or other than remembered), there is one way
back: forget everything, take a new epoch, read the ledger, go on.
"""

import os
import queue
import secrets
import signal
import socket
import threading
import time
from collections.abc import Iterator

import structlog
from celery import Celery

from farm import embedded, locate, logline
from farm import queue as transport
from farm.assign import Limits
from farm.blobs import DirectoryBlobs
from farm.book import Book, OutOfStep, StaleEpoch
from farm.carry import Carrier
from farm.errors import FarmError, Transient, UnsafeLedger
from farm.events import ChunkWaits, Event
from farm.groups import Groups
from farm.hints import Hints
from farm.host import HostChild
from farm.rounds import Rounds
from farm.scheduler import Scheduler
from farm.settings import Settings
from farm.snapshot import Noted
from farm.verifier import Verifier

log = structlog.get_logger()

#: Seconds that an epoch outlasts its scheduler; it is renewed three times as often.
HOLD_SECONDS = 6.0
#: Longest nap between two looks at the signal to stop.
NAP_SECONDS = 0.25
#: Seconds until a ledger that is away is asked again.
PAUSE_SECONDS = 0.5
#: How many events are handled before the outbox is emptied.
TOGETHER = 500

Item = Event | Noted | FarmError


class Dispatch:
    """One scheduler for as long as it can go on without reading the ledger anew."""

    def __init__(self, settings: Settings, book: Book, broker: Celery) -> None:
        self._beat_seconds, self._book = settings.beat_seconds, book
        limits = Limits(settings.attempts, settings.step_seconds, settings.bytes_in_flight)
        self._scheduler, self._hints = Scheduler(limits), Hints(book)
        self._rounds = Rounds(settings, book, self._hints, self._scheduler)
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        blobs = DirectoryBlobs(settings.state / "blobs")
        self._verifier = Verifier(lambda: _host(settings), blobs, self._inbox.put)
        self._carrier = Carrier(book, broker, self._verifier)
        self._groups = Groups(book, self._carrier, settings.trace_linger_seconds)
        self._over = threading.Event()
        self._held = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Schedule until told to stop.

        Raises StaleEpoch, OutOfStep, UnsafeLedger or a Transient when it cannot go on.
        """
        try:
            for event in self._hints.everything():
                self._handle(event)
                self._hold()
            log.info("scheduler in charge", epoch=self._book.epoch)
            threading.Thread(target=self._read, name="reader", daemon=True).start()
            self._loop(stop)
        finally:
            self._over.set()
            self._verifier.close()

    def _loop(self, stop: threading.Event) -> None:
        beat = time.monotonic()
        while not stop.is_set():
            for item in self._waiting(min(beat - time.monotonic(), self._groups.seconds())):
                self._take(item)
            now = time.monotonic()
            if now >= beat:
                self._beat(now)
                beat = now + self._beat_seconds
            self._groups.send()
            self._carrier.flush()
            self._hold()

    def _waiting(self, seconds: float) -> Iterator[Item]:
        """Return what is in the inbox; waits for the first of it."""
        try:
            yield self._inbox.get(timeout=max(0.0, min(seconds, NAP_SECONDS)))
            for _ in range(TOGETHER):
                yield self._inbox.get_nowait()
        except queue.Empty:
            return

    def _take(self, item: Item) -> None:
        if isinstance(item, FarmError):
            raise item
        if isinstance(item, Event):
            self._handle(item)
            return
        event = self._hints.of(item, self._scheduler.courses)
        if isinstance(event, ChunkWaits):
            self._groups.add(event, item.id)
        elif event:
            self._handle(event, item.id)
        else:
            self._book.ack(item.id)

    def _handle(self, event: Event, ack: str = "") -> None:
        self._rounds.note(event)
        self._carrier.carry(self._scheduler.handle(event), ack)

    def _beat(self, now: float) -> None:
        for event in self._rounds.look(now, sent=not self._carrier.unsent):
            self._handle(event)
        for chunk in self._rounds.chunks(now):
            self._carrier.chunk(chunk)
        self._rounds.learn()

    def _hold(self) -> None:
        if time.monotonic() - self._held > HOLD_SECONDS / 3:
            self._book.hold(HOLD_SECONDS)
            self._held = time.monotonic()

    def _read(self) -> None:
        """Put the ledger's events into the inbox, in order."""
        after = "0"
        while not self._over.is_set():
            try:
                for noted in self._book.events(after, block_ms=1000):
                    self._inbox.put(noted)
                    after = noted.id
            except FarmError as error:
                self._inbox.put(error)
                return


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Schedule, or wait for the epoch, until told to stop (by `stop`, else SIGTERM or SIGINT).

    Returns too when another scheduler has taken over. Raises WrongPassword.
    """
    if stop is None:
        logline.configure()
        stop = _on_signals()
    urls = embedded.urls(settings)
    book, broker = Book.at(urls.ledger), transport.connect(urls.broker)
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    while not stop.is_set():
        try:
            if not book.acquire(holder, HOLD_SECONDS):
                stop.wait(PAUSE_SECONDS)
                continue
            if warning := book.check():
                log.warning(warning)
            Dispatch(settings, book, broker).run(stop)
            book.release()
        except StaleEpoch as error:
            log.warning("scheduler leaves", why=str(error))
            return
        except (Transient, UnsafeLedger, OutOfStep) as error:  # a full or read-only ledger too
            log.warning("scheduler starts again", why=str(error))
            stop.wait(PAUSE_SECONDS)


def _host(settings: Settings) -> HostChild:
    return HostChild(locate.find(settings), replay=settings.replay)


def _on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
