"""Run the scheduler: events from the ledger in, instructions out, a look around every beat.

The only place that sends tasks. One process at a time holds the epoch; another one waits for
it. Whatever goes wrong on the way (the ledger gone, or other than remembered), there is one way
back: forget everything, take a new epoch, read the ledger, go on.
"""

import gc
import os
import queue
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import structlog
from celery import Celery

from farm import about, closer, embedded, hosts, logline
from farm import queue as transport
from farm.assign import Limits
from farm.batcher import Batcher
from farm.blobs import DirectoryBlobs
from farm.book import Book, OutOfStep, StaleEpoch
from farm.carry import Carrier
from farm.errors import FarmError, Transient, UnsafeLedger
from farm.events import ChunkWaits, Event
from farm.groups import Groups
from farm.hints import Hints
from farm.rounds import Rounds
from farm.scheduler import Scheduler
from farm.settings import Settings
from farm.snapshot import Noted
from farm.store import Store
from farm.verifier import Verifier

log = structlog.get_logger()

#: Seconds that an epoch outlasts its scheduler; it is renewed three times as often.
HOLD_SECONDS = 6.0
#: Longest nap between two looks at the signal to stop.
NAP_SECONDS = 0.25
#: Seconds until a ledger that is away is asked again.
PAUSE_SECONDS = 0.5
#: How many events share a decision and a trip to the ledger.
TOGETHER = 500
#: Shortest time between two turns, in seconds; what comes after a pause is dealt with at once.
GATHER_SECONDS = 0.003
#: Seconds between two entries that tell how far a session is.
TELL_SECONDS = 0.1
#: Most entries in that time: after more of them, the next ones come later. A guess: a thousand
#: take some ten milliseconds of the server.
TELL_MOST = 1000
#: Thresholds of Python's garbage collector. With 10,000 sessions its own took a quarter of a step,
#: to look through them all. The young go while they are in the processor's cache: that is worth a
#: tenth of a step. What has lived longer has next to no cycles.
RARELY = (5_000, 1_000, 1_000)

Item = Event | Noted | FarmError
#: What makes a verifier that reports to a function.
Verifying = Callable[[Callable[[Event], None]], Verifier]


class Dispatch:
    """One scheduler for as long as it can go on without reading the ledger anew."""

    def __init__(
        self, settings: Settings, book: Book, broker: Celery, verifier: Verifying | None = None
    ) -> None:
        self._beat_seconds, self._book = settings.beat_seconds, book
        self._scheduler, self._hints = Scheduler(_limits(settings)), Hints(book)
        self._rounds = Rounds(settings, book, self._hints, self._scheduler)
        self._inbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._verifier = (verifier or _verifier(settings))(self._inbox.put)
        self._batcher = Batcher(settings, book, self._inbox.put)
        self._carrier = Carrier(book, broker, self._verifier, self._batcher)
        self._groups = Groups(book, self._carrier, settings.trace_linger_seconds)
        self._over = threading.Event()
        self._held = self._tell = self._turned = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Schedule until told to stop.

        Raises StaleEpoch, OutOfStep, UnsafeLedger or a Transient when it cannot go on.
        """
        try:
            for event in self._hints.everything():
                self._handle(event)
                self._hold()
            self._carrier.publish()
            log.info("scheduler in charge", epoch=self._book.epoch)
            threading.Thread(target=self._read, name="reader", daemon=True).start()
            self._loop(stop)
        finally:
            self._over.set()
            self._verifier.close()
            self._batcher.close()

    def _loop(self, stop: threading.Event) -> None:
        beat = time.monotonic()
        while not stop.is_set():
            self._turn([*self._waiting(self._patience(beat))])
            now = time.monotonic()
            if now >= beat:
                self._beat(now)
                beat = now + self._beat_seconds
            self._groups.send()
            self._carrier.publish()
            self._hold()

    def _patience(self, beat: float) -> float:
        """Return the seconds until there is something to do even if nothing comes in."""
        now = time.monotonic()
        tell = self._tell - now if self._scheduler.untold else NAP_SECONDS
        return min(beat - now, self._groups.seconds(), tell, NAP_SECONDS)

    def _turn(self, items: Sequence[Item]) -> None:
        """Deal with what has come in: with all of it one decision, and one trip to the ledger."""
        self._scheduler.floor.now = self._turned = now = time.monotonic()
        with self._book.together():
            self._carrier.settle()
            done = [id for item in items for id in self._take(item)]
            self._act()
            if self._scheduler.untold and now >= self._tell:
                told = self._scheduler.progress()
                self._carrier.carry(told)
                self._tell = now + pause(sum(len(one.jobs) for one in told))
            self._book.ack(*done)

    def _waiting(self, seconds: float) -> Iterator[Item]:
        """Return what is in the inbox; waits for the first of it."""
        try:
            first = self._inbox.get(timeout=max(0.0, seconds))
            yield first
            # A turn costs much more than one event in it: of a stream of them several are taken.
            early = self._turned + GATHER_SECONDS - time.monotonic()
            if early > 0 and not _is_chunk(first):
                time.sleep(early)
            for _ in range(TOGETHER):
                yield self._inbox.get_nowait()
        except queue.Empty:
            return

    def _take(self, item: Item) -> list[str]:
        """Hear of one thing; return the event to be deleted for it, if one is."""
        if isinstance(item, FarmError):
            raise item
        if isinstance(item, Event):
            self._hear(item)
            return []
        if self._hints.reads(item):
            # What is read has to be as it is remembered.
            if self._scheduler.out:
                self._act()
            self._book.flush()
        event = self._hints.of(item, self._scheduler.courses)
        if isinstance(event, ChunkWaits):
            self._groups.add(event, item.id)
            return []
        if event:
            self._hear(event)
        return [item.id]

    def _hear(self, event: Event) -> None:
        # Together: nothing is sent for a job that was too late from the beginning.
        late = self._rounds.note(event)
        for one in (event, *late):
            self._scheduler.hear(one)

    def _act(self) -> None:
        self._carrier.carry(self._scheduler.decide())

    def _handle(self, event: Event) -> None:
        self._scheduler.floor.now = time.monotonic()
        with self._book.together():
            self._hear(event)
            self._act()

    def _beat(self, now: float) -> None:
        self._scheduler.floor.now = now
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
            except Exception as error:  # without its events the scheduler would go on half blind
                self._inbox.put(FarmError(f"scheduler: events: {error!r}"))
                return


def run(settings: Settings, stop: threading.Event | None = None) -> None:
    """Schedule, or wait for the epoch, until told to stop (by `stop`, else SIGTERM or SIGINT).

    Returns too when another scheduler has taken over. Raises WrongPassword, WrongStore.
    """
    if stop is None:
        logline.configure()
        gc.set_threshold(*RARELY)
        stop = _on_signals()
    urls = embedded.urls(settings)
    book, broker = Book.at(urls.ledger), transport.connect(urls.broker)
    store = Store(settings.state / "blobs")
    holder = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    while not stop.is_set():
        try:
            about.claim(book, store)
            if not book.acquire(holder, HOLD_SECONDS):
                stop.wait(PAUSE_SECONDS)
                continue
            about.note(book, {"scheduler": about.version()})
            if warning := book.check():
                log.warning(warning)
            with closer.running(settings, urls.ledger):
                Dispatch(settings, book, broker).run(stop)
            book.release()
        except StaleEpoch as error:
            log.warning("scheduler leaves", why=str(error))
            return
        except (Transient, UnsafeLedger, OutOfStep) as error:  # a full or read-only ledger too
            log.warning("scheduler starts again", why=str(error))
            stop.wait(PAUSE_SECONDS)


def pause(entries: int) -> float:
    """Return the seconds until waiters are told again, of whom so many were told just now."""
    return TELL_SECONDS * max(1.0, entries / TELL_MOST)


def _is_chunk(item: Item) -> bool:
    """Return whether a trace waits for this: it takes less than the gathering would."""
    return isinstance(item, Noted) and item.fields.get("type") == "chunk"


def _limits(settings: Settings) -> Limits:
    known = (settings.attempts, settings.step_seconds, settings.bytes_in_flight)
    return Limits(*known, settings.tenants, settings.batch_size, settings.batch_wait_seconds)


def _verifier(settings: Settings) -> Verifying:
    host = hosts.starter(settings)
    blobs, threads = DirectoryBlobs(settings.state / "blobs"), max(1, settings.verifiers)
    return lambda report: Verifier(host, blobs, report, threads)


def _on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
