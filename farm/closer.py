"""Close open sets: hand in the jobs that make one receipt of many.

Which set a job is in is settled in one call, the set's own job is handed in after that; who dies
in between has left a note, and the next one hands it in.
"""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import structlog

from farm import keys, open_sets
from farm.blobs import DirectoryBlobs
from farm.errors import FarmError
from farm.job import Asked, JobSpec
from farm.ledger import Ledger
from farm.open_sets import Waiting
from farm.settings import Settings
from farm.submission import Submission

log = structlog.get_logger()

#: Seconds between two looks.
LOOK = 1.0
#: Most jobs that wait which one look reads.
MOST = 10_000


@contextlib.contextmanager
def running(settings: Settings, url: str) -> Iterator[None]:
    """Have open sets looked after for the block, on a thread and a connection of its own."""
    ledger, over = Ledger.at(url), threading.Event()
    made = Closer(settings, ledger, DirectoryBlobs(settings.state / "blobs"))
    thread = threading.Thread(target=made.run, args=(over,), name="closer")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        ledger.client.close()


class Closer:
    """Looks after the open sets of all namespaces."""

    def __init__(self, settings: Settings, ledger: Ledger, blobs: DirectoryBlobs) -> None:
        self._settings, self._ledger, self._blobs = settings, ledger, blobs
        self._terms = open_sets.terms(settings.aggregate)
        #: Those that are known to wait, by their jobs.
        self._known: dict[str, Waiting] = {}
        self._images: dict[str, str] = {}

    def run(self, over: threading.Event) -> None:
        """Look again and again until it is over."""
        while not over.wait(LOOK):
            try:
                self.look()
            except FarmError as error:
                log.warning("sets left open", why=str(error))
            except Exception:  # what could not be read is there the next time, too
                log.exception("sets left open")

    def look(self) -> list[str]:
        """Hand in the sets that are closed; return their jobs."""
        note, found, clock = self._ledger.calls(
            [
                ("HGETALL", keys.CLOSED),
                ("ZRANGE", keys.OPEN_SETS, 0, MOST - 1, "WITHSCORES"),
                ("TIME",),
            ]
        )
        jobs = [self._submit(text) for text in dict(_pairs(note)).values()]
        waiting = self._read({job: float(since) for job, since in _pairs(found)})
        now = int(clock[0]) + int(clock[1]) / 1e6
        for members in open_sets.closed(waiting, now, self._terms):
            if text := self._close(members):
                jobs.append(self._submit(text))
        return jobs

    def _read(self, since: dict[str, float]) -> Iterable[Waiting]:
        self._known = {job: one for job, one in self._known.items() if job in since}
        new = [job for job in since if job not in self._known]
        texts = self._ledger.calls([("HGET", keys.job(job), "spec") for job in new]) if new else []
        for job, text in zip(new, texts, strict=True):
            try:
                spec = msgspec.json.decode(text or "", type=JobSpec)
            except ValueError:  # removed, or nobody can read it
                self._forget(job=job)
                continue
            whose = (spec.namespace, spec.aggregate, spec.receipt, since[job], spec.value)
            self._known[job] = Waiting(job, spec.image_id, *whose)
        return self._known.values()

    def _close(self, members: list[Waiting]) -> str:
        """Return the set's job once its members are settled, "" if they no longer wait."""
        spec = self._spec(members)
        text = msgspec.json.encode(spec).decode()
        ids = [one.job for one in members]
        names = [keys.OPEN_SETS, keys.CLOSED, *map(keys.job, ids)]
        return text if self._ledger.call("close_set", names, [spec.id, text, *ids]) == "OK" else ""

    def _spec(self, members: list[Waiting]) -> JobSpec:
        first = members[0]
        namespace = open_sets.home(first.namespace, first.name)
        own = self._settings.model_copy(update={"namespace": namespace})
        asked = Submission(own, self._ledger, self._images)
        mode = "trace" if first.kind == "trace" else "risc0"
        chosen = [Asked(one.job, one.image_id) for one in members]
        kinds, limits = asked.kinds(mode, "succinct"), asked.limits(None, None)
        spec = asked.sized(asked.a_set(chosen, kinds, **limits))
        for ref, body in asked.bodies.items():
            self._blobs.put(body, ref)
        return spec

    def _submit(self, text: str) -> str:
        spec = msgspec.json.decode(text, type=JobSpec)
        self._ledger.submit(spec, present=self._blobs.has, cap=self._settings.open_jobs)
        self._forget(made=spec.id)
        log.info("set closed", job=spec.id, members=len(spec.members))
        return spec.id

    def _forget(self, *, job: str = "", made: str = "") -> None:
        self._ledger.call("forget_set", [keys.OPEN_SETS, keys.CLOSED], [job, made])


def _pairs(flat: Any) -> Iterable[tuple[str, str]]:
    found = flat.items() if isinstance(flat, dict) else zip(flat[::2], flat[1::2], strict=True)
    return [(str(name), str(value)) for name, value in found]
