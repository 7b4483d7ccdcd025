"""One request as its handler sees it: who asks, for what, with which body."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import msgspec
from starlette.requests import Request

from farm.apikey import ApiKey
from farm.errors import BadInput, InputTooLarge
from farm.uploads import Uploads

if TYPE_CHECKING:
    from farm.api.core import Api

P = ParamSpec("P")
T = TypeVar("T")

#: Most bytes of a body that is JSON.
MOST_JSON = 16 << 20
#: Seconds that a client may let pass between two pieces of a body.
IDLE_SECONDS = 60.0


class Call(NamedTuple):
    """A request that is let in."""

    api: "Api"
    request: Request
    key: ApiKey

    @property
    def namespace(self) -> str:
        """Whose jobs it is about."""
        return self.key.namespace

    @property
    def uploads(self) -> Uploads:
        """What this tenant has uploaded."""
        return Uploads(self.api.ledger, self.namespace)

    def part(self, name: str) -> str:
        """Return a part of the path."""
        return str(self.request.path_params[name])

    def query(self, kind: type[T]) -> T:
        """Return the parameters of the query; raises BadInput for what they cannot be."""
        given = dict(self.request.query_params)
        return _read(lambda: msgspec.convert(given, kind, strict=False), "query")

    async def json(self, kind: type[T]) -> T:
        """Return the body; raises BadInput for what it cannot be, InputTooLarge."""
        body = await self.body(MOST_JSON)
        return _read(lambda: msgspec.json.decode(body, type=kind), "body")

    async def body(self, limit: int) -> bytes:
        """Return the whole body; raises InputTooLarge."""
        pieces: list[bytes] = []
        await self.stream(limit, pieces.append)
        return b"".join(pieces)

    async def stream(self, limit: int, take: Callable[[bytes], Any]) -> None:
        """Give the body to `take` a piece at a time; raises InputTooLarge once it is over `limit`.

        What `take` returns is awaited, if it can be. Raises ClientDisconnect for a body that is
        broken off, BadInput for one that does not go on.
        """
        stated = self.request.headers.get("content-length", "")
        size = int(stated) if stated.isdigit() else 0
        if size > limit:
            raise InputTooLarge(size, limit)
        size, coming = 0, aiter(self.request.stream())
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    piece = await anext(coming, None)
            except TimeoutError:
                text = f"body: nothing more came for {IDLE_SECONDS:g} s after {size} bytes"
                raise BadInput(text) from None
            if piece is None:
                return
            size += len(piece)
            if size > limit:
                raise InputTooLarge(size, limit)
            if asyncio.iscoroutine(taken := take(piece)):
                await taken

    async def thread(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `call` does on a thread of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.api.pool, partial(call, *args, **kwargs))


def _read(read: Callable[[], T], what: str) -> T:
    try:
        return read()
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{what}: {error}") from error
