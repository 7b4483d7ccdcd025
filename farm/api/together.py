"""Answer many who ask at the same time in one go: a call to the ledger costs most by itself."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Generic, TypeVar

A = TypeVar("A")
B = TypeVar("B")

#: Most that are answered in one go: nobody waits for a long row.
MOST = 500


class Together(Generic[A, B]):
    """Calls `do` with all who wait, on a thread; who comes meanwhile waits for the next call.

    It answers each in order, an error being raised to who asked; one that it raises is everybody's.
    """

    def __init__(
        self, do: Callable[[Sequence[A]], Sequence[B | Exception]], pool: Executor
    ) -> None:
        self._do, self._pool = do, pool
        self._waiting: list[tuple[A, asyncio.Future[B]]] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, what: A) -> B:
        """Return the answer."""
        answer: asyncio.Future[B] = asyncio.get_running_loop().create_future()
        self._waiting.append((what, answer))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await answer

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            answers: Sequence[B | Exception]
            try:
                asked = [what for what, _ in now]
                answers = await loop.run_in_executor(self._pool, self._do, asked)
            except Exception as error:
                answers = [error] * len(now)
            for (_, waiter), found in zip(now, answers, strict=True):
                if waiter.done():  # who asked has gone
                    continue
                if isinstance(found, Exception):
                    waiter.set_exception(found)
                else:
                    waiter.set_result(found)
        self._running = None
