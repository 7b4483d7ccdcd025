"""Take bodies in and give them out a piece at a time, whatever their size."""

import re
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from starlette.responses import Response, StreamingResponse

from farm import request, usage, verify
from farm.api.call import Call
from farm.errors import ImageMismatch, OverQuota, WrongKind
from farm.streams import PIECE, Draft, pieces
from farm.uploads import RETRY_SECONDS, Kind, Upload

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
BINARY = "application/octet-stream"

#: Looks at a body that is whole and returns its name; raises what is wrong with it.
Check = Callable[[str], str]


async def take_image(call: Call, id: str) -> Upload:
    """Keep the body as an image, of this id if one is given.

    Raises BadProgram or ImageMismatch.
    """
    limit = call.api.settings.program_limit
    return await _take(call, "image", limit, partial(_image, call, id))


async def take_input(call: Call, id: str) -> Upload:
    """Keep the body as an input."""
    return await _take(call, "input", call.api.settings.input_limit, lambda ref: id)


async def take_receipt(call: Call, id: str) -> Upload:
    """Keep the body as a receipt that guests may rely on.

    Raises BadReceipt for one that does not verify, WrongKind for one that proves nothing.
    """
    limit = call.api.settings.receipt_limit
    return await _take(call, "receipt", limit, partial(_receipt, call, id))


async def _take(call: Call, kind: Kind, limit: int, check: Check) -> Upload:
    await call.thread(_room, call)
    with await call.thread(Draft, call.api.blobs) as draft:
        waiting = bytearray()

        async def take(piece: bytes) -> None:
            waiting.extend(piece)
            if len(waiting) >= PIECE:
                await call.thread(draft.write, bytes(waiting))
                waiting.clear()

        await call.stream(limit, take)
        await call.thread(draft.write, bytes(waiting))
        ref = await call.thread(draft.keep)
    return await call.thread(_keep, call, kind, ref, check)


def _keep(call: Call, kind: Kind, ref: str, check: Check) -> Upload:
    # Until it is recorded nothing names it, and the sweep takes what nothing names.
    size = int(ref.rpartition("-")[2])
    upload = Upload(id=check(ref), kind=kind, ref=ref, size=size, created=time.time())
    call.uploads.add(upload, call.api.gate.quota(call.namespace).bytes)
    return upload


def _room(call: Call) -> None:
    """Raise OverQuota for a body that says itself that there is no room for it."""
    stated = call.request.headers.get("content-length", "")
    cap = call.api.gate.quota(call.namespace).bytes
    if not cap or not stated.isdigit():
        return
    if usage.read(call.api.ledger, call.namespace, time.time()).bytes + int(stated) > cap:
        raise OverQuota(call.namespace, f"{cap} bytes of uploads", RETRY_SECONDS)


def _image(call: Call, id: str, ref: str) -> str:
    settings = call.api.settings
    body = request.body(call.api.blobs.get(ref), settings.program_limit)
    found = verify.image_id(body, settings)
    if id not in ("", found):
        raise ImageMismatch(found, id)
    return found


def _receipt(call: Call, id: str, ref: str) -> str:
    raw = call.api.blobs.get(ref)
    wanted = "simulated" if call.api.settings.simulated else "succinct"
    if (kind := verify.assumption(raw, call.api.settings)) != wanted:
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
    coming = pieces(call.api.blobs, ref, start, end)
    first = await call.thread(next, coming, b"")

    async def whole() -> AsyncIterator[bytes]:
        piece = first
        while piece:
            yield piece
            piece = await call.thread(next, coming, b"")

    return StreamingResponse(whole(), status, headers, media)


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
