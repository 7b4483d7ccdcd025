"""Follow jobs for many who wait: one thread asks the ledger for the news of all of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from typing import Any

import msgspec

from farm import keys
from farm.errors import FarmError
from farm.job import Change
from farm.ledger import Ledger, pairs

#: Seconds between two looks for news.
PAUSE = 0.1
#: Jobs that are asked for in one call.
TOGETHER = 1000
#: Changes that wait for one slow reader; who is further behind begins anew where it is.
BEHIND = 1000

Queue = asyncio.Queue[Change]


class Watch:
    """The changes of jobs, as they come."""

    def __init__(self, ledger: Ledger, pool: Executor) -> None:
        self._ledger, self._pool = ledger, pool
        self._waiting: dict[str, set[Queue]] = {}
        self._after: dict[str, str] = {}
        self._running: asyncio.Task[None] | None = None

    async def changes(
        self, id: str, after: str, pause: float
    ) -> AsyncGenerator[Change | None, None]:
        """Yield what becomes of a job after the change `after`, and None after each silent `pause`.

        It goes on until the reader stops: the last change may have been forgotten.
        """
        queue: Queue = asyncio.Queue(BEHIND)
        self._waiting.setdefault(id, set()).add(queue)
        # From the earliest on that anybody wants: who has heard of a change passes over it.
        self._after[id] = min(self._after.get(id, after), after, key=_place)
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        try:
            # News may come twice: from here, and to all who wait.
            loop = asyncio.get_running_loop()
            for change in await loop.run_in_executor(self._pool, self._ledger.changes, id, after):
                after = change.id
                yield change
            while True:
                news = await _next(queue, pause)
                if news is None:
                    yield None
                elif _place(news.id) > _place(after):
                    after = news.id
                    yield news
        finally:
            self._left(id, queue)

    def _left(self, id: str, queue: Queue) -> None:
        self._waiting[id].discard(queue)
        if not self._waiting[id]:
            del self._waiting[id], self._after[id]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            await asyncio.sleep(PAUSE)
            names = list(self._after.items())
            for start in range(0, len(names), TOGETHER):
                with contextlib.suppress(FarmError):  # it is asked again
                    part = names[start : start + TOGETHER]
                    for id, change in await loop.run_in_executor(self._pool, self._news, part):
                        self._tell(id, change)
        self._running = None

    def _tell(self, id: str, change: Change) -> None:
        if id not in self._after:  # nobody waits any more
            return
        self._after[id] = change.id
        for queue in self._waiting[id]:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(change)

    def _news(self, names: list[tuple[str, str]]) -> list[tuple[str, Change]]:
        if not names:
            return []
        streams = {keys.changes(id): id for id, _ in names}
        found: Any = self._ledger.calls(
            [("XREAD", "COUNT", 100, "STREAMS", *streams, *(after for _, after in names))]
        )[0]
        return [
            (streams[stream], msgspec.convert(pairs(fields) | {"id": at}, Change, strict=False))
            for stream, entries in found or ()
            for at, fields in entries
        ]


async def _next(queue: Queue, pause: float) -> Change | None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(pause):
            return await queue.get()
    return None


def _place(id: str) -> tuple[int, int]:
    """Return where an entry of a stream is: ids are "<milliseconds>-<number>"."""
    stamp, _, number = id.partition("-")
    return int(stamp), int(number or 0)
