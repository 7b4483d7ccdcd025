"""Read what the ledger keeps, as the sweep: every record that names blobs; and let records go.

The whole ledger is read a page at a time, so that no other call waits long for it, and no more
than a page is held at once. What cannot be read is kept.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from farm import keys
from farm.job import JobSpec
from farm.ledger import pairs
from farm.relied import is_job
from farm.server import Server

#: About how many keys, or fields of a hash, are read in one go.
PAGE = 100
#: Kinds of keys whose fields say themselves whether they have ended; the fields of any other hash
#: are as old as the session that it is named after.
OWN = ("job", "key", "session")


class Entry(NamedTuple):
    """One hash of the ledger."""

    key: str
    kind: str
    name: str
    #: Its own fields if its kind is OWN, otherwise those of its session, if there is one.
    fields: dict[str, str]
    #: Seconds until it expires by itself, -1 for never.
    left: int
    #: Values of another kind of hash, as many as were read with it, and where to read on.
    values: Sequence[str] = ()
    cursor: str = "0"


class Remains(Server):
    """What is left in the ledger of all that was asked of it."""

    def now(self) -> float:
        """Return the time by the ledger's clock."""
        seconds, microseconds = self.calls([("TIME",)])[0]
        return float(seconds) + float(microseconds) / 1e6

    def entries(self) -> Iterator[Entry]:
        """Yield every hash; each that is there all the while, and some of them twice."""
        cursor, how = "0", ("MATCH", "farm:*", "COUNT", PAGE, "TYPE", "hash")
        while True:
            cursor, page = self._read([("SCAN", cursor, *how)])[0]
            yield from self._page(page)
            if str(cursor) == "0":
                return

    def relied(self) -> set[str]:
        """Return the jobs whose receipts jobs that have not ended rely on, or will."""
        found: set[str] = set()
        ids, waiting = self._read([("SMEMBERS", keys.OPEN), ("ZRANGE", keys.OPEN_SETS, 0, -1)])
        ids = list(ids)
        found.update(waiting)
        for start in range(0, len(ids), PAGE):
            page = ids[start : start + PAGE]
            for text in self._read([("HGET", keys.job(id), "spec") for id in page]):
                with contextlib.suppress(ValueError):
                    names = msgspec.json.decode(text or "", type=JobSpec).relied_on
                    found.update(name for name in names if is_job(name))
        return found

    def values(self, entry: Entry) -> Iterator[Sequence[str]]:
        """Yield the values of a hash that is not its own kind, a page at a time."""
        yield entry.values
        cursor = entry.cursor
        while cursor != "0":
            cursor, values = _values(self._read([_scan(entry.key, cursor)])[0])
            yield values

    def turn(self, holder: str, seconds: float) -> bool:
        """Return whether it is our turn to sweep: somebody else's lasts `seconds` otherwise."""
        return bool(self.call("sweep_turn", [keys.SWEEPER], [holder, int(seconds * 1000)]))

    def drop_job(self, id: str, idempotency: str, used: str) -> bool:
        """Forget a job; False while it has not ended, or if another relies on it since `used`.

        `idempotency` is the key that names it, "" for none.
        """
        names = [keys.job(id), keys.changes(id), keys.RECENT_JOBS]
        names += [idempotency] if idempotency else []
        return self._done("drop_job", names, [id, used])

    def release_job(self, id: str, fields: Iterable[str], used: str) -> bool:
        """Forget what a job that has ended was given; the job is still known.

        False if another relies on it since `used`.
        """
        return self._done("release_job", [keys.job(id)], [used, *fields])

    def drop_answer(self, name: str, receipt: str, used: str) -> bool:
        """Forget an answer, so that the next equal job is proved; False if it was used since."""
        return self._done("drop_answer", [keys.answer(name)], [receipt, used])

    def drop_session(self, name: str) -> bool:
        """Forget the inner life of a session; False while it runs or somebody waits for it."""
        return self._done("drop_session", keys.inner(name), [])

    def keep_longer(self, names: Iterable[str], seconds: float) -> None:
        """Keep for so many seconds from now what would expire before."""
        self.call("keep_longer", list(names), [int(seconds)])

    def _done(self, function: str, names: list[str], args: list[Any]) -> bool:
        return bool(self.call(function, names, args) == "OK")

    def _page(self, page: list[str]) -> Iterator[Entry]:
        known = [(key, *keys.parsed(key)) for key in page]
        commands: list[tuple[Any, ...]] = []
        for key, kind, name in known:
            own = kind in OWN
            commands += [("HGETALL", key) if own else _session(name), ("TTL", key)]
            commands += [] if own else [_scan(key, "0")]
        answers = iter(self._read(commands) if commands else [])
        for key, kind, name in known:
            fields, left = next(answers), next(answers)
            if kind in OWN:
                found = Entry(key, kind, name, pairs(fields), left)
            else:
                cursor, values = _values(next(answers))
                found = Entry(key, kind, name, _pair(fields), left, values, cursor)
            if left != -2:  # it went since
                yield found

    def _read(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        start = time.monotonic()
        answers = self.calls(commands)
        # Half of the server's time, at most, is ours: nobody waits for a sweep.
        time.sleep(time.monotonic() - start)
        return answers


def own_name(spec: str) -> str:
    """Return the key of a client's own name for a job, "" if it has none or cannot be read."""
    try:
        known = msgspec.json.decode(spec, type=JobSpec)
    except ValueError:
        return ""
    key = known.idempotency_key
    return keys.idempotency(known.namespace, key) if key else ""


def _scan(key: str, cursor: str) -> tuple[Any, ...]:
    return ("HSCAN", key, cursor, "COUNT", PAGE)


def _values(answer: Any) -> tuple[str, list[str]]:
    cursor, page = answer
    return str(cursor), list(pairs(page).values())


def _session(name: str) -> tuple[str, ...]:
    return ("HMGET", keys.session(name), "state", "closed")


def _pair(values: list[str | None]) -> dict[str, str]:
    found = zip(("state", "closed"), values, strict=True)
    return {field: value for field, value in found if value is not None}
