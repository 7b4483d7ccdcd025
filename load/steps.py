"""Measure what a step costs the scheduler and its servers when it takes no time itself.

    python load/steps.py [--open 100,1000,10000] [--seconds 10] [--profile FILE]

A real scheduler on two embedded servers and real Celery messages; a driver plays a hundred slots
(load/slots.py), whatever is verified is right. So many jobs are kept open. The figure is steps by
CPU second of scheduler and servers together. Goals: >= 2,000 at each number of open jobs, and a
step costs at most 1.25 times as much with most of them open as with fewest. The exit status is 1
when one is missed. FILE gets the scheduler's profile, by time spent in each function.
"""

import argparse
import contextlib
import cProfile
import gc
import pstats
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
from slots import Slots, reference

from farm import embedded, keys, logline
from farm import queue as transport
from farm import settings as config
from farm.book import Book
from farm.dispatch import HOLD_SECONDS, RARELY, Dispatch
from farm.events import Event, Finalized, Verified
from farm.instructions import Finalize, Verify
from farm.job import JobSpec, new_id
from farm.ledger import Ledger
from farm.settings import Settings

GOAL, FLAT = 2000, 1.25
PROVING, EXECUTING, SEGMENTS = 100, 10, 16
#: Threads that keep jobs open.
CLIENTS = 4


class Believer:
    """Takes the place of the verifier: what it is asked for is right."""

    def __init__(self, report: Callable[[Event], None]) -> None:
        self._report = report

    def ask(self, asked: Verify | Finalize) -> None:
        """Report that it is as it should be."""
        if isinstance(asked, Verify):
            self._report(Verified(asked.session, asked.step, asked.attempt, asked.ref))
        else:
            self._report(Finalized(asked.session, reference("receipt")))

    def close(self) -> None:
        """Do nothing."""


def schedule(state: Path, profile: str) -> None:
    """Be the scheduler, until told to stop."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    logline.configure()
    gc.set_threshold(*RARELY)
    settings = settings_of(state)
    urls = embedded.urls(settings)
    book = Book.at(urls.ledger)
    book.check()
    assert book.acquire("load", HOLD_SECONDS)
    found = cProfile.Profile()
    dispatch = Dispatch(settings, book, transport.connect(urls.broker), verifier=Believer)
    if profile:
        found.runcall(dispatch.run, stop)
        with Path(profile).open("w") as file:
            pstats.Stats(found, stream=file).sort_stats("tottime").print_stats(60)
    else:
        dispatch.run(stop)


def settings_of(state: Path) -> Settings:
    """Return the settings of the measured farm."""
    own = {"ledger_url": "", "broker_url": "", "scratch_url": ""}
    return config.load(state=state, open_jobs=1_000_000, bytes_in_flight=1 << 60, **own)


@contextlib.contextmanager
def farm(profile: str) -> Iterator[tuple[Settings, list[psutil.Process]]]:
    """Yield the settings of a farm without workers, and its processes, scheduler first."""
    with tempfile.TemporaryDirectory(prefix="farm-") as folder, contextlib.ExitStack() as stack:
        settings = settings_of(Path(folder))
        commands = []
        for server in embedded.servers(settings):
            url = server.prepare()
            commands.append(stack.enter_context(_child(*server.command())))
            stack.callback(server.tidy)
            _wait(url)
        own = [sys.executable, __file__, "--scheduler", folder, "--profile", profile]
        log = stack.enter_context((Path(folder) / "log").open("w"))
        scheduler = stack.enter_context(_child(*own, stderr=log))
        yield settings, [psutil.Process(pid) for pid in (scheduler, *commands)]


@contextlib.contextmanager
def _child(*command: str, **how: Any) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, **how)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(Exception):
            Book.at(url).check()
            return
        time.sleep(0.05)
    raise SystemExit(f"no server at {url}")


class Clients:
    """Threads that keep so many jobs open."""

    def __init__(self, url: str, count: int) -> None:
        self._url, self._count = url, count
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(CLIENTS)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        ledger = Ledger.at(self._url)
        share = self._count // CLIENTS
        while not self._over.is_set():
            missing = self._count - ledger.client.scard(keys.OPEN)
            if missing <= 0:
                time.sleep(0.005)
            for _ in range(min(missing // CLIENTS + 1 if missing > 0 else 0, share)):
                if self._over.is_set():
                    return
                ledger.submit(_spec(number))


def _spec(number: int) -> JobSpec:
    id = new_id()
    return JobSpec(
        id=id,
        image_id="11" * 32,
        program=reference("program"),
        input=reference(f"input of {id} {number}"),
        po2=20,
        cycle_limit=1 << 36,
        input_limit=1 << 20,
    )


def measure(count: int, seconds: float, profile: str) -> dict[str, float]:
    """Return steps by wall second, and CPU microseconds a step, with so many jobs open."""
    with farm(profile) as (settings, processes):
        ledger, broker = (server.url() for server in embedded.servers(settings))
        how = {"proving": PROVING, "executing": EXECUTING, "segments": SEGMENTS}
        with Slots(ledger, broker, **how) as slots, Clients(ledger, count):
            while slots.executed < count:
                time.sleep(0.1)
            time.sleep(1.0)
            before, done, begun = _cpu(processes), slots.done, time.monotonic()
            time.sleep(seconds)
            after, did, taken = _cpu(processes), slots.done - done, time.monotonic() - begun
        parts = [(b - a) / max(did, 1) * 1e6 for a, b in zip(before, after, strict=True)]
        names = ("scheduler", "ledger", "scratch")
        return {"steps/s": did / taken, **dict(zip(names, parts, strict=True))}


def _cpu(processes: list[psutil.Process]) -> list[float]:
    return [sum(process.cpu_times()[:2]) for process in processes]


def main() -> int:
    """Measure, print, compare with the goals."""
    known = argparse.ArgumentParser(description=__doc__)
    known.add_argument("--open", default="100,1000,10000")
    known.add_argument("--seconds", type=float, default=10.0)
    known.add_argument("--profile", default="")
    known.add_argument("--scheduler", type=Path, help=argparse.SUPPRESS)
    given = known.parse_args()
    if given.scheduler:
        schedule(given.scheduler, given.profile)
        return 0
    costs = []
    for count in map(int, given.open.split(",")):
        found = measure(count, given.seconds, given.profile)
        wall = found.pop("steps/s")
        costs.append(sum(found.values()))
        shares = ", ".join(f"{name} {us:.0f}" for name, us in found.items())
        print(f"{count} open: {1e6 / costs[-1]:.0f} steps by CPU second (goal {GOAL}), ", end="")
        print(f"{costs[-1]:.0f} us a step ({shares}); {wall:.0f} steps/s", flush=True)
    flat = costs[-1] / costs[0]
    print(f"cost of a step with most open by that with fewest: {flat:.2f} (goal <= {FLAT})")
    return int(max(costs) > 1e6 / GOAL or flat > FLAT)


if __name__ == "__main__":
    sys.exit(main())
