"""Users for Locust that enqueue through the farm's public API, wait for results and check them.

Each finished batch or job is one request to Locust, with its proofs as the response's length:
Locust can count some ten thousand requests a second, and the farm makes more proofs than that.
"""

import itertools
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from locust import User, task
from rows import PROGRAM, Faults, Source, faults, outputs
from tally import Tally

from farm import Farm, FarmError, trace_plain
from farm import settings as config
from farm.errors import Busy
from farm.settings import Settings

T = TypeVar("T")

#: Seconds until a user gives up: whatever takes longer is lost.
PATIENCE = 300.0
#: Seconds before a user whose request failed makes the next.
PAUSE = 1.0
#: One of so many singles is computed again; of a batch it is the share of its rows.
SAMPLED = 100

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
GUESTS = GOLDEN.parents[1] / "guest" / "blobs"

#: What all users of this process have asked for and got.
tally = Tally()
_source = Source()
_numbers = itertools.count()


class Wrong(FarmError):
    """Proofs came back that are not those that were asked for."""

    template = "{0}"


@dataclass
class Request:
    """What one request to Locust is about to report."""

    proofs: int = 0
    seconds: float = 0.0


class FarmUser(User):
    """A client of the farm that FARM_* variables name; one request after the other."""

    abstract = True
    farm: Farm

    def on_start(self) -> None:
        """Open a farm of this user's own: a pool of connections has a bound."""
        self.farm = Farm(settings=settings())

    def on_stop(self) -> None:
        """Close it."""
        self.farm.close()

    @contextmanager
    def request(self, kind: str, name: str) -> Iterator[Request]:
        """Time a block and tell Locust; what the block does after `seconds` is set is not timed."""
        made, error = Request(), None
        began, start = time.time(), time.perf_counter()
        try:
            yield made
        except FarmError as why:
            error = why
            tally.failed += 1
        self.environment.events.request.fire(
            request_type=kind,
            name=name,
            start_time=began,
            response_time=(made.seconds or time.perf_counter() - start) * 1000,
            response_length=made.proofs,
            exception=error,
            context={},
        )
        if error:
            time.sleep(PAUSE)


class BatchUser(FarmUser):
    """Asks for a batch, takes all results, checks them, computes 1 % again."""

    weight = 8

    @task
    def batch(self) -> None:
        """Have one batch proved."""
        rows = _source.take(self.environment.parsed_options.rows)
        tally.asked += len(rows)
        with self.request("batch", f"{PROGRAM} x {len(rows)}") as request:
            start = time.perf_counter()
            batch = when_free(lambda: self.farm.submit_many(PROGRAM, rows.rounds, rows.witness))
            done = batch.wait(PATIENCE)
            request.seconds = time.perf_counter() - start
            request.proofs = len(done)
            tally.taken += len(done)
            found = faults(rows, done)
            tally.add(found)
            tally.verified += batch.verify(1 / SAMPLED)
            if found != Faults():
                raise Wrong(str(found))


class SingleUser(FarmUser):
    """Asks for one proof at a time; the client gathers those of all users of this process."""

    weight = 1

    def on_start(self) -> None:
        """Share one farm: it is what gathers."""
        self.farm = shared_farm()

    def on_stop(self) -> None:
        """Send what was gathered; the others go on with the farm."""
        self.farm.flush()

    @task
    def single(self) -> None:
        """Have one trace proved."""
        rows = _source.take(1)
        rounds, witness = int(rows.rounds[0]), rows.witness[0].tolist()
        tally.asked += 1
        with self.request("single", PROGRAM) as request:
            start = time.perf_counter()
            job = when_free(lambda: self.farm.submit_trace(PROGRAM, rounds, witness))
            proof = job.wait(PATIENCE)
            request.seconds, request.proofs = time.perf_counter() - start, 1
            tally.taken += 1
            sampled = tally.taken % SAMPLED == 0
            tally.verified += sampled
            right = (proof.output, proof.steps) == (int(outputs(rows)[0]), rounds + 2)
            if not right or (sampled and proof != trace_plain.prove(PROGRAM, rounds, witness)):
                tally.add(Faults(wrong=1))
                raise Wrong(f"fib of {rounds} rounds from {witness} came back as {proof}")


class Risc0User(FarmUser):
    """Asks for RISC0 jobs that a host in replay mode can answer, and verifies the receipts.

    An answer is kept for its namespace, so every request is from a namespace of its own.
    """

    weight = 1

    @task
    def prove(self) -> None:
        """Have one golden session proved, in the number of segments it has."""
        number = next(_numbers)
        session = _sessions()[number % 2]
        own = {"namespace": f"load-{time.time_ns()}-{number}"}
        with (
            self.request("risc0", session["name"]) as request,
            Farm(settings=settings().model_copy(update=own)) as farm,
        ):
            job = farm.submit(session["file"], session["stdin"], po2=session["po2"])
            job.wait(PATIENCE).verify(session["image_id"])
            request.proofs = 1


def when_free(ask: Callable[[], T]) -> T:
    """Return what `ask` returns, asked again for as long as the farm says that it is busy."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except Busy as busy:
            tally.busy += 1
            if time.monotonic() > end:
                raise
            # Not all at once, who were sent away at once.
            time.sleep(float(busy.args[2]) * random.uniform(0.5, 1.5))


@cache
def settings() -> Settings:
    """Return the settings in force, read once."""
    return config.load()


@cache
def shared_farm() -> Farm:
    """Return the farm that all single users of this process share."""
    return Farm(settings=settings())


@cache
def _sessions() -> list[dict[str, Any]]:
    """Return the golden sessions of one and of two segments, with what their guests read."""
    known = json.loads((GOLDEN / "sessions.json").read_text())
    return [
        known[name]
        | {
            "name": f"{name} segments",
            "file": GUESTS / f"{known[name]['program']}.bin",
            "stdin": (GOLDEN / known[name]["input"]).read_bytes(),
        }
        for name in ("one", "two")
    ]
