"""Measure what a sweep costs: time and memory a blob, and what others of the ledger feel of it.

    python load/sweep.py [--jobs 1000,10000]

An embedded ledger with so many jobs that have ended, each with a session of ten blobs that are
kept, and one blob in eleven that nobody needs. Each sweep is a process of its own, as it is in a
farm. Goals: a blob costs at most 1.25 times as much of its CPU time with most of them as with
fewest; a blob that is kept takes at most 250 bytes of its memory; a call of the ledger takes at
most twice as long, by the median, while it sweeps as when it does not. The exit status is 1 when
one is missed.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

from farm import about, embedded, keys, sweeper
from farm import settings as config
from farm.ledger import Ledger
from farm.remains import Remains
from farm.settings import Settings

FLAT, BYTES, SLOWER = 1.25, 250, 2.0
#: Blobs of a session, and of those one that nobody needs.
NAMED = 10
OLD = 1e9
#: Calls without a sweep, before it and after it.
CALLS = 10_000


@contextlib.contextmanager
def ledger() -> Iterator[Settings]:
    """Yield the settings of a farm of which only the ledger is up."""
    with tempfile.TemporaryDirectory(prefix="farm-") as folder:
        server = embedded.Server("ledger", Path(folder))
        url = server.prepare()
        with subprocess.Popen(server.command(), stdout=subprocess.DEVNULL) as process:
            try:
                _wait(url)
                yield settings_of(folder, url)
            finally:
                process.terminate()
        server.tidy()


def settings_of(folder: str, url: str) -> Settings:
    """Return the settings of that farm."""
    return config.load(state=Path(folder), ledger_url=url, broker_url="", scratch_url="")


def fill(settings: Settings, first: int, last: int) -> None:
    """Add what is left of so many jobs: records and blobs, and what nobody needs."""
    known, blobs = Ledger.at(embedded.urls(settings).ledger), settings.state / "blobs"
    now = Remains(known.client).now()
    pipeline = known.client.pipeline(transaction=False)
    for number in range(first, last):
        refs = [_blob(blobs, f"{number} {at}") for at in range(NAMED + 1)]
        id, name = f"j{number:012x}", f"{number:032x}.j{number:012x}"
        spec = {"program": refs[0], "input": refs[1]}
        job = {"state": "SUCCEEDED", "finished": now, "receipt": refs[2], "session": name}
        pipeline.hset(keys.job(id), mapping=job | {"spec": json.dumps(spec)})
        pipeline.hset(keys.session(name), mapping={"state": "SUCCEEDED", "closed": now})
        pipeline.hset(keys.nodes(name), mapping=dict(enumerate(refs[3:NAMED])))
        if not (number + 1) % 200 or number + 1 == last:  # the server syncs each time
            pipeline.execute()


def swept(settings: Settings) -> None:
    """Be the process that sweeps; print what it took."""
    remains = Remains.at(embedded.urls(settings).ledger)
    before, cpu = _peak(), time.process_time()
    found = sweeper.once(settings, remains, sweeper.store_of(settings))
    facts = {"cpu": time.process_time() - cpu, "memory": _peak() - before}
    print(json.dumps(facts | {"named": found.named, "gone": found.blobs, "left": found.left_blobs}))


def measured(settings: Settings) -> dict[str, float]:
    """Return what a sweep took, and how much longer calls took beside it than before and after."""
    known = Ledger.at(embedded.urls(settings).ledger)
    command = [sys.executable, __file__, "--sweep", str(settings.state), settings.ledger_url]
    beside: list[float] = []
    alone = [_call(known) for _ in range(CALLS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            beside.append(_call(known))
        said = process.stdout.read() if process.stdout else ""
    alone += [_call(known) for _ in range(CALLS)]
    slower = statistics.median(beside) / statistics.median(alone)
    return json.loads(said) | {"slower": slower, "calls": len(beside)}


def main() -> int:
    """Measure, print, compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", default="1000,10000", help="numbers of jobs, fewest first")
    parser.add_argument("--sweep", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sweep:
        swept(settings_of(*given.sweep))
        return 0
    found = []
    with ledger() as settings:
        about.claim(Ledger.at(embedded.urls(settings).ledger), sweeper.store_of(settings))
        counts = [0, *map(int, given.jobs.split(","))]
        for first, last in pairwise(counts):
            fill(settings, first, last)
            found.append(measured(settings))
            _show(last, found[-1])
    return 0 if _met(found) else 1


def _met(found: list[dict[str, float]]) -> bool:
    few, many = found[0], found[-1]
    rows = {
        f"a blob, most / fewest <= {FLAT}": (_each(many) / _each(few), FLAT),
        f"bytes a kept blob <= {BYTES}": (many["memory"] / many["named"], BYTES),
        f"calls beside / alone <= {SLOWER}": (many["slower"], SLOWER),
    }
    for name, (value, goal) in rows.items():
        print(f"{name}: {value:.2f}{'' if value <= goal else ' MISSED'}")
    return all(value <= goal for value, goal in rows.values())


def _each(one: dict[str, float]) -> float:
    return one["cpu"] / (one["left"] + one["gone"])


def _show(jobs: int, one: dict[str, float]) -> None:
    print(
        f"{jobs:>8,} jobs, {one['left']:>9,.0f} blobs kept, {one['gone']:>7,.0f} deleted: "
        f"{one['cpu']:.2f} s, {_each(one) * 1e6:.1f} us a blob, "
        f"calls x {one['slower']:.2f} ({one['calls']:.0f})"
    )


def _blob(root: Path, text: str) -> str:
    body = text.encode()
    ref = f"{sha256(body).hexdigest()}-{len(body)}"
    path = root / ref[:2] / ref
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    os.utime(path, (OLD, OLD))
    return ref


def _call(known: Ledger) -> float:
    start = time.perf_counter()
    known.trace_room(1, 1 << 50)
    return time.perf_counter() - start


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _wait(url: str) -> None:
    for _ in range(100):
        with contextlib.suppress(Exception):
            Ledger.at(url).check()
            return
        time.sleep(0.05)
    raise SystemExit(f"no server at {url}")


if __name__ == "__main__":
    sys.exit(main())
