"""Take bodies in and give them out a piece at a time, whatever their size."""

import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from functools import partial

from starlette.responses import Response, StreamingResponse

from farm import request, usage, verify
from farm.api.call import Call
from farm.errors import (
    ImageMismatch,
    InputTooLarge,
    OverQuota,
    StoreFailed,
    UnknownUpload,
    WrongKind,
)
from farm.settings import Settings
from farm.streams import PIECE, Draft, pieces, stamp
from farm.uploads import RETRY_SECONDS, Kind, Upload

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
BINARY = "application/octet-stream"
#: Bodies that are remembered to have been whole.
MOST_LOOKED_AT = 10_000

#: Looks at a body that has come and returns its name; raises what is wrong with it.
Check = Callable[[Draft], str]


async def take_image(call: Call, id: str) -> Upload:
    """Keep the body as an image, of this id if one is given.

    Raises BadProgram or ImageMismatch.
    """
    limit = call.api.settings.program_limit
    return await _take(call, "image", limit, partial(_image, call.api.settings, id))


async def take_input(call: Call, id: str) -> Upload:
    """Keep the body as an input."""
    return await _take(call, "input", call.api.settings.input_limit, lambda draft: id)


async def take_receipt(call: Call, id: str) -> Upload:
    """Keep the body as a receipt that guests may rely on.

    Raises BadReceipt for one that does not verify, WrongKind for one that proves nothing.
    """
    limit = call.api.settings.receipt_limit
    return await _take(call, "receipt", limit, partial(_receipt, call.api.settings, id))


def there(call: Call, kind: Kind, id: str) -> bool:
    """Return whether something was uploaded under this name, and is there still."""
    found = call.uploads.find(kind, id)
    if found is None or call.api.blobs.path(found.ref).exists():
        return found is not None
    with suppress(UnknownUpload):  # it may come again, and be another body
        call.uploads.drop(kind, id)
    return False


async def _take(call: Call, kind: Kind, limit: int, check: Check) -> Upload:
    room = await call.thread(_room, call)
    with await call.thread(Draft, call.api.blobs) as draft:
        waiting = bytearray()

        async def take(piece: bytes) -> None:
            waiting.extend(piece)
            if len(waiting) >= PIECE:
                await call.thread(draft.write, bytes(waiting))
                waiting.clear()

        try:
            await call.stream(min(limit, room), take)
        except InputTooLarge:
            if room < limit:
                raise _over(call) from None
            raise
        await call.thread(draft.write, bytes(waiting))
        return await call.thread(_keep, call, kind, draft, check)


def _keep(call: Call, kind: Kind, draft: Draft, check: Check) -> Upload:
    now = time.time()
    upload = Upload(id=check(draft), kind=kind, ref=draft.ref, size=draft.size, created=now)
    # What there is no room for is not kept: nobody would count it.
    new = call.uploads.add(upload, call.api.gate.quota(call.namespace).bytes)
    try:
        draft.keep()
    except StoreFailed:
        if new:
            call.uploads.drop(kind, upload.id)
        raise
    return upload


def _room(call: Call) -> int:
    """Return how many bytes a tenant may still upload."""
    cap = call.api.gate.quota(call.namespace).bytes
    used = usage.read(call.api.ledger, call.namespace, time.time()).bytes
    return max(0, cap - used) if cap else sys.maxsize


def _over(call: Call) -> OverQuota:
    cap = call.api.gate.quota(call.namespace).bytes
    return OverQuota(call.namespace, f"{cap} bytes of uploads", RETRY_SECONDS)


def _image(settings: Settings, id: str, draft: Draft) -> str:
    found = verify.image_id(request.body(draft.body(), settings.program_limit), settings)
    if id not in ("", found):
        raise ImageMismatch(found, id)
    return found


def _receipt(settings: Settings, id: str, draft: Draft) -> str:
    wanted = "simulated" if settings.simulated else "succinct"
    if (kind := verify.assumption(draft.body(), settings)) != wanted:
        raise WrongKind(kind, wanted)
    return id


async def give(call: Call, ref: str, media: str = BINARY) -> Response:
    """Return the answer that is a body of the store, or the range of it that is asked for.

    Raises BlobMissing for one that is gone or changed. What is found out only at the end of a
    whole body breaks the answer off: nobody can take it for the body.
    """
    size = int(ref.rpartition("-")[2])
    tag = f'"{ref.partition("-")[0]}"'
    headers = {"accept-ranges": "bytes", "etag": tag}
    span = _span(call, size, tag)
    if span is None:
        return Response(status_code=416, headers={"content-range": f"bytes */{size}"})
    start, end = span
    headers["content-length"] = str(end - start)
    status = 200
    if (start, end) != (0, size):
        headers["content-range"], status = f"bytes {start}-{end - 1}/{size}", 206
    trusted = status == 206 and await call.thread(_looked_at, call, ref)
    coming = pieces(call.api.blobs, ref, start, end, trusted=trusted)
    first = await call.thread(next, coming, b"")

    async def whole() -> AsyncIterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = await call.thread(next, coming, b"")

    return StreamingResponse(whole(), status, headers, media)


def _looked_at(call: Call, ref: str) -> bool:
    """Look at a body before a part of it is given out, unless its file is as it was then."""
    seen, now = call.api.looked_at, stamp(call.api.blobs, ref)
    if seen.get(ref) != now:
        for _ in pieces(call.api.blobs, ref):
            pass
        if len(seen) >= MOST_LOOKED_AT:
            seen.clear()
        seen[ref] = now
    return True


def _span(call: Call, size: int, tag: str) -> tuple[int, int] | None:
    """Return the bytes that are asked for, None for a range that is not there."""
    given = call.request.headers
    asked = _RANGE.fullmatch(given.get("range", "").strip())
    if not asked or given.get("if-range", tag) != tag or asked[0] == "bytes=-":
        return 0, size
    if not asked[1]:
        return (max(0, size - int(asked[2])), size) if int(asked[2]) and size else None
    start, last = int(asked[1]), int(asked[2] or size)
    if last < start:
        return 0, size
    return (start, min(last + 1, size)) if start < size else None
