"""Send what becomes of a job as it happens: server-sent events."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

import msgspec
from starlette.responses import Response, StreamingResponse

from farm.api.call import Call
from farm.api.jobs import place
from farm.errors import TooFast, UnknownJob
from farm.job import Change

#: Seconds of silence after which a sign of life is sent, and the job looked at once more.
SILENCE = 15.0
#: When to come back with more streams than a key may have.
RETRY_SECONDS = 5


async def events(call: Call) -> Response:
    """Send each change of a job until it has ended; goes on after the one in Last-Event-ID."""
    id = call.part("id")
    await call.api.look(call.namespace, id)
    after = place(call.request.headers.get("last-event-id") or "0")
    most = call.api.gate.quota(call.namespace).streams
    open = call.api.streams
    if most and open[call.key.id] >= most:
        raise TooFast(f"API key {call.key.id}", f"{most} streams", RETRY_SECONDS)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    told = _told(call, id, after)
    return StreamingResponse(told, headers=headers, media_type="text/event-stream")


async def _told(call: Call, id: str, after: str) -> AsyncGenerator[bytes, None]:
    open = call.api.streams
    open[call.key.id] += 1
    try:
        async with aclosing(_texts(call, id, after)) as texts:
            with suppress(UnknownJob):  # removed meanwhile
                async for text in texts:
                    yield text
    finally:
        open[call.key.id] -= 1


async def _texts(call: Call, id: str, after: str) -> AsyncGenerator[bytes, None]:
    yield b": the changes of a job\n\n"
    first = await _end(call, id, after)
    if first:
        # It has ended: all that is still known of it is said, and its end at least.
        found = await call.thread(call.api.ledger.changes, id, after)
        for change in found or [first]:
            yield _text(change)
        return
    async with aclosing(call.api.watch.changes(id, after, SILENCE)) as coming:
        async for news in coming:
            end = news or await _end(call, id, after)
            yield _text(end) if end else b": silence\n\n"
            if end and end.state.ended:
                return


async def _end(call: Call, id: str, after: str) -> Change | None:
    """Return how a job has ended, None for one that has not."""
    view, _ = await call.api.look(call.namespace, id)
    error = view.error()
    text = str(error) if error else "verified and kept"
    return Change(id=after, state=view.state, text=text) if view.state.ended else None


def _text(change: Change) -> bytes:
    data = msgspec.json.encode(change).decode()
    return f"id: {change.id}\nevent: change\ndata: {data}\n\n".encode()
