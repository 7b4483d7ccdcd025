"""Sweep: forget what is past its time, and delete the blobs that nothing has named for long.

A blob is put before its reference is written, and one that is there already is made young by
the putting; so what is older than the longest step, and named nowhere in the ledger, is needed
by nobody. The times that count are taken before the ledger is read: whatever happens meanwhile
is younger. retention.py decides, remains.py and store.py do.
"""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import msgspec

from farm import keys
from farm.errors import UnknownUpload
from farm.remains import Entry, Remains, own_name
from farm.retention import FOREVER, Holds, Keep, Policy, end, named, pressure
from farm.store import File, Store
from farm.uploads import Upload, Uploads

#: Records whose expiry is off by less than this, in seconds, are left as they are.
SLACK = 3600


class Stopped(Exception):
    """The sweep was told to leave off."""


@dataclass
class Swept:
    """What came of one sweep."""

    #: Records that went: jobs, the inner life of sessions, answers for equal jobs.
    jobs: int = 0
    sessions: int = 0
    answers: int = 0
    #: Blobs that went, and their bytes.
    blobs: int = 0
    bytes: int = 0
    #: Blobs and bytes that are still there, and bytes of what has ended among them.
    left_blobs: int = 0
    left_bytes: int = 0
    ended_bytes: int = 0
    #: Blobs that the ledger names, there or not.
    named: int = 0
    seconds: float = 0.0


class Limits(NamedTuple):
    """What a sweep goes by; a blob younger than `guard`, in seconds, is spared."""

    keep: Keep
    guard: float


@dataclass
class Sweep:
    """One sweep; with `dry` it only counts. `stopping` is asked now and then."""

    remains: Remains
    store: Store
    limits: Limits
    dry: bool = False
    stopping: Callable[[], bool] = lambda: False
    swept: Swept = field(default_factory=Swept)
    relied: set[str] = field(default_factory=set, init=False)

    def run(self) -> Swept:
        """Return what went; raises Stopped, LedgerDown, StoreFailed: the next sweep goes on."""
        start = time.monotonic()
        before = self.store.now() - self.limits.guard
        now = self.remains.now()
        policy = Policy(self.limits.keep, now, now - self.limits.guard)
        self.relied = self.remains.relied()
        weights = self._once(policy, before)
        if (limit := pressure(weights, policy)) > -FOREVER:
            if self.dry:  # nothing went, and all of it is found again
                self.swept = Swept()
            self._once(policy._replace(pressure=limit), before)
        self.swept.seconds = time.monotonic() - start
        return self.swept

    def _once(self, policy: Policy, before: float) -> dict[float, int]:
        """Sweep once; return the bytes that are left under each hold."""
        holds = Holds()
        for entry in self.remains.entries():
            self._pause()
            _ENTRIES.get(entry.kind, Sweep._inner)(self, entry, policy, holds)
        self.swept.named = len(holds)
        return self._files(holds, before)

    def _job(self, entry: Entry, policy: Policy, holds: Holds) -> None:
        fields, used = entry.fields, entry.fields.get("used", "")
        # It counts from when another one came to rely on it, if that was later.
        ended = end(fields.get("state"), max(fields.get("finished", ""), used))
        if entry.name in self.relied:  # by a job that is still to run
            ended = None
        past = ended is not None and policy.now - ended > policy.keep.jobs
        spec = fields.pop("spec", "")
        if past and self._do(lambda: self.remains.drop_job(entry.name, own_name(spec), used)):
            self.swept.jobs += 1
            return
        asked, given = policy.input(ended), policy.receipt(ended)
        if past or (given is None and not self._released(entry, used)):
            asked = given = FOREVER  # another one relies on it since
        if asked is not None:
            holds.add(named([spec]), asked)
        if given is not None:
            holds.add(named(fields.values()), given)
        self._keep(entry, ended, policy, policy.keep.jobs)

    def _released(self, entry: Entry, used: str) -> bool:
        bodies = [name for name, value in entry.fields.items() if named([value]) == [value]]
        return not bodies or self._do(lambda: self.remains.release_job(entry.name, bodies, used))

    def _answer(self, entry: Entry, policy: Policy, holds: Holds) -> None:
        receipt, used, running = (entry.fields.get(n, "") for n in ("receipt", "used", "session"))
        asked_for = end("RUNNING" if running else "SUCCEEDED", used)
        hold = policy.receipt(asked_for)
        # One without either is what a session has left that was given up.
        past = hold is None or not (receipt or running)
        if past and self._do(lambda: self.remains.drop_answer(entry.name, receipt, used)):
            self.swept.answers += bool(receipt)
            return
        holds.add(named(entry.fields.values()), FOREVER if hold is None else hold)
        self._keep(entry, asked_for, policy, policy.keep.receipts)

    def _session(self, entry: Entry, policy: Policy, holds: Holds) -> None:
        ended = end(entry.fields.get("state"), entry.fields.get("closed"))
        hold = policy.node(ended)
        if hold is None and self._do(lambda: self.remains.drop_session(entry.name)):
            self.swept.sessions += 1
            return
        holds.add(named(entry.fields.values()), FOREVER if hold is None else hold)
        self._keep(entry, ended, policy, policy.keep.nodes)

    def _uploads(self, entry: Entry, policy: Policy, holds: Holds) -> None:
        # What jobs need of them, these hold themselves.
        for values in self.remains.values(entry):
            self._pause()
            for text in values:
                upload = _upload(text)
                past = upload and policy.now - upload.created > policy.keep.jobs
                if not (upload and past and self._do(partial(self._drop, entry.name, upload))):
                    holds.add(named([text]), FOREVER)

    def _drop(self, namespace: str, upload: Upload) -> None:
        with suppress(UnknownUpload):  # its owner was first
            Uploads(self.remains, namespace).drop(upload.kind, upload.id)

    def _inner(self, entry: Entry, policy: Policy, holds: Holds) -> None:
        hold = policy.node(end(entry.fields.get("state"), entry.fields.get("closed")))
        if hold is None:
            return
        for values in self.remains.values(entry):
            self._pause()
            holds.add(named(values), hold)

    def _keep(self, entry: Entry, ended: float | None, policy: Policy, seconds: float) -> None:
        """Keep a record whose expiry was set when less was to be kept."""
        if ended is None or entry.left < 0:
            return
        left = ended + seconds - policy.now
        if left > entry.left + SLACK:
            all_of_it = keys.inner(entry.name) if entry.kind == "session" else [entry.key]
            self._do(lambda: self.remains.keep_longer(all_of_it, left))

    def _do(self, change: Callable[[], bool | None]) -> bool:
        return self.dry or change() is not False

    def _files(self, holds: Holds, before: float) -> dict[float, int]:
        swept, weights = self.swept, Counter[float]()
        swept.left_blobs = swept.left_bytes = 0
        for file in self.store.files():
            self._pause()
            hold = holds.of(file.ref) if file.ref else None
            if hold is None and self._goes(file, before):
                swept.blobs += bool(file.ref)
                swept.bytes += file.size
                continue
            swept.left_blobs += bool(file.ref)
            swept.left_bytes += file.size
            if hold is not None:
                weights[hold] += file.size
        swept.ended_bytes = sum(size for hold, size in weights.items() if hold != FOREVER)
        return weights

    def _goes(self, file: File, before: float) -> bool:
        if self.dry:
            return self.store.old(file, before)
        return self.store.remove(file, before)

    def _pause(self) -> None:
        if self.stopping():
            raise Stopped


def _upload(text: str) -> Upload | None:
    """Return what was uploaded, None for what cannot be read: it is kept."""
    try:
        return msgspec.json.decode(text, type=Upload)
    except ValueError:
        return None


_ENTRIES: dict[str, Callable[[Sweep, Entry, Policy, Holds], None]] = {
    "job": Sweep._job,
    "key": Sweep._answer,
    "session": Sweep._session,
    "uploads": Sweep._uploads,
}
