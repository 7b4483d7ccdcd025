"""Measure the API on one core, beside a busy farm of simulated cards.

    python load/api.py [--seconds S] [--streams N] [--cards N]

2,000 status polls and 500 submissions are asked for each second, evenly, whatever the API makes
of them: first over connections that are kept, then each poll over one of its own, as bonsai-sdk has
it. Then 1,000 streams of events wait at once, each for the end of its job. The API has the
first core for itself; farm, servers and this client have the others. Prints goal and figure; the
exit status is 1 when one falls short.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

import psutil
import simulated_farm as farms
from curve import percentile
from plain_http import Answer, Connection
from simulated_farm import PROGRAM, Shape
from simulated_jobs import equal

from farm import Farm, running
from farm.keyring import Keyring
from farm.settings import Settings

POLLS, SUBMISSIONS = 2000, 500
#: Connections that share each kind of request.
CONNECTIONS = 32
#: A rate counts as held from this share of it on: the last requests are under way at the end.
HELD = 0.99
#: Most seconds that one in a hundred may take: a client polls once a second.
SLOWEST = 1.0


@dataclass
class Load:
    """Requests of one kind, so many a second."""

    rate: int
    ask: Callable[[Connection, int], Awaitable[Answer]]
    took: list[float] = field(default_factory=list)
    failed: int = 0
    last: float = 0.0

    async def run(self, connections: list[Connection], seconds: float) -> None:
        """Ask for `seconds`, each request at its moment."""
        start = time.perf_counter()
        await asyncio.gather(
            *(self._share(one, at, start, seconds) for at, one in enumerate(connections))
        )
        self.last = time.perf_counter() - start

    async def _share(self, one: Connection, at: int, start: float, seconds: float) -> None:
        for number in range(at, int(self.rate * seconds), CONNECTIONS):
            due = start + number / self.rate
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            answer = await self.ask(one, number)
            # From when it was due: a server that is late makes the next ones late.
            self.took.append(time.perf_counter() - due)
            self.failed += answer.status != 200

    @property
    def held(self) -> float:
        """Good answers a second."""
        return (len(self.took) - self.failed) / self.last


class Client:
    """What is asked of the API, and with what."""

    def __init__(self, settings: Settings, secret: str, image: str) -> None:
        self._port, self._secret, self.image = settings.api_port, secret, image
        self._labels = itertools.count()
        self.inputs: list[str] = []
        self.jobs: list[str] = []

    async def connections(self, count: int = CONNECTIONS) -> list[Connection]:
        """Return new connections."""
        return [await Connection.to(self._port, self._secret) for _ in range(count)]

    async def upload(self, count: int) -> None:
        """Upload as many inputs, each of a job of one segment."""
        connections = await self.connections()
        rows = iter(range(count))

        async def some(one: Connection) -> None:
            for _ in rows:
                body = json.dumps({"label": f"api-{next(self._labels)}", "segments": 1}).encode()
                answer = await one.ask(b"POST", "/v1/inputs", body)
                self.inputs.append(json.loads(answer.body)["id"])

        await asyncio.gather(*(some(one) for one in connections))

    async def submit(self, one: Connection, number: int) -> Answer:
        """Submit a job that nobody has submitted before."""
        body = {"img": self.image, "input": self.inputs[number], "assumptions": []}
        asked = json.dumps(body | {"execute_only": False}).encode()
        answer = await one.ask(b"POST", "/sessions/create", asked)
        if answer.status == 200:
            self.jobs.append(json.loads(answer.body)["uuid"])
        return answer

    async def poll_afresh(self, one: Connection, number: int) -> Answer:
        """Ask the same over a connection of its own, as bonsai-sdk does."""
        fresh = (await self.connections(1))[0]
        try:
            return await self.poll(fresh, number)
        finally:
            fresh.close()

    async def poll(self, one: Connection, number: int) -> Answer:
        """Ask where a job is that was submitted."""
        return await one.ask(b"GET", f"/sessions/status/{random.choice(self.jobs)}")


async def rates(client: Client, api: psutil.Process, seconds: float, *, afresh: bool) -> list[dict]:
    """Bars: polls and submissions a second; polls `afresh` each have a connection of their own."""
    client.inputs = []
    await client.upload(int(SUBMISSIONS * seconds) + 1)
    await client.submit((await client.connections(1))[0], int(SUBMISSIONS * seconds))
    poll = client.poll_afresh if afresh else client.poll
    loads = [Load(POLLS, poll), Load(SUBMISSIONS, client.submit)]
    ready = [await client.connections() for _ in loads]
    spent = sum(api.cpu_times()[:2])
    await asyncio.gather(
        *(load.run(some, seconds) for load, some in zip(loads, ready, strict=True))
    )
    busy = (sum(api.cpu_times()[:2]) - spent) / max(load.last for load in loads)
    rows = []
    names = ("status polls, a connection each", "submissions beside them")
    names = names if afresh else ("status polls", "submissions")
    for name, load in zip(names, loads, strict=True):
        p99 = percentile(sorted(load.took), 0.99)
        about = {"p99_ms": round(p99 * 1000, 1), "failed": load.failed, "core_busy": round(busy, 2)}
        rows.append(show(f"{name} a second", load.held, load.rate * HELD, least=True, **about))
        rows.append(show(f"{name}: p99, seconds", p99, SLOWEST))
    return rows


async def streams(client: Client, api: psutil.Process, count: int) -> list[dict]:
    """Bar: so many streams wait at once, and each hears the end of its job."""
    jobs = client.jobs[-count:]
    waiting = await client.connections(len(jobs))
    spent, start = sum(api.cpu_times()[:2]), time.perf_counter()
    heard = [asyncio.create_task(_ends(one, id)) for one, id in zip(waiting, jobs, strict=True)]
    await asyncio.sleep(5)
    busy = (sum(api.cpu_times()[:2]) - spent) / (time.perf_counter() - start)
    # While they wait, others are answered.
    asking = (await client.connections(1))[0]
    asked = time.perf_counter()
    await client.poll(asking, 0)
    polled = time.perf_counter() - asked
    open_now = sum(not one.done() for one in heard)
    for id in jobs:
        await asking.ask(b"GET", f"/sessions/stop/{id}")
    await asyncio.wait(heard, timeout=60)
    ends = sum(one.done() and not one.exception() and one.result() for one in heard)
    about = {"waiting": open_now, "core_busy": round(busy, 2), "a_poll_ms": round(polled * 1000, 1)}
    return [show("streams that heard the end of their job", ends, count, least=True, **about)]


async def _ends(one: Connection, id: str) -> bool:
    """Return whether a stream tells the end of its job."""
    one.send(b"GET", f"/v1/jobs/{id}/events")
    await one.head()
    while True:
        line = await one.reader.readline()
        if not line:
            return False
        if line.startswith(b"data:") and b'"state":"ABORTED"' in line:
            one.close()
            return True


def show(goal: str, figure: float, bound: float, *, least: bool = False, **more: object) -> dict:
    """Print and return one row: a goal, the figure, whether it is met."""
    met = figure >= bound if least else figure <= bound
    row = {"goal": goal, "figure": round(figure, 3), "at_least" if least else "at_most": bound}
    print(json.dumps(row | more | {"met": met}), flush=True)
    return row | {"met": met}


def alone_on_the_first_core(settings: Settings) -> psutil.Process:
    """Give the API the first core, and all else the others; return its process."""
    first, *others = sorted(os.sched_getaffinity(0))
    pids = {one.name: one.pid for one in running.status(settings.state).processes}
    api = psutil.Process(pids.pop("api"))
    _keep(api, [first])
    for pid in pids.values():
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            _keep(one, others)
    _keep(psutil.Process(), others)
    return api


def _keep(process: psutil.Process, cores: list[int]) -> None:
    for thread in process.threads():
        os.sched_setaffinity(thread.id, cores)


async def measure(settings: Settings, asked: argparse.Namespace) -> list[dict]:
    """Return the rows of the table."""
    with Farm(settings=settings) as farm:
        _, secret = Keyring(farm.ledger).add("load", "load", ["submit", "read"])
    client = Client(settings, secret, "")
    answer = await (await client.connections(1))[0].ask(b"POST", "/v1/images", PROGRAM)
    client.image = json.loads(answer.body)["id"]
    api = alone_on_the_first_core(settings)
    found = await rates(client, api, asked.seconds, afresh=False)
    found += await rates(client, api, asked.seconds, afresh=True)
    return found + await streams(client, api, asked.streams)


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--cards", type=int, default=20)
    asked = parser.parse_args()
    open_to_all = {"api": True, "quotas": {"*": {"jobs": 0}}}
    with ExitStack() as stack:
        settings = stack.enter_context(farms.farm(Shape(cards=asked.cards), **open_to_all))
        busy = stack.enter_context(Farm(settings=settings))
        for work in equal(asked.cards, 1000):
            stdin = json.dumps({"label": work.label, "segments": work.segments}).encode()
            busy.submit(PROGRAM, stdin)
        rows = asyncio.run(measure(settings, asked))
    return 0 if all(row["met"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
