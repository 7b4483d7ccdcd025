"""Say things over HTTP: JSON, and each class of error as a status with the same body."""

import math
from typing import Any

import msgspec
from starlette.responses import Response

from farm.errors import (
    BadInput,
    BadReceipt,
    BlobMissing,
    Busy,
    FarmError,
    GuestFailed,
    HostLacks,
    InputTooLarge,
    JobFailed,
    JobOpen,
    LedgerDown,
    NoAnswer,
    NoKey,
    NoReceipt,
    NotAllowed,
    OverQuota,
    ReceiptSwept,
    TooFast,
    Transient,
    UnknownJob,
    UnknownUpload,
    VerificationFailed,
    WaitTimeout,
)

#: The status of a class of error, and of those under it that are not named themselves.
STATUS: dict[type[FarmError], int] = {
    NoKey: 401,
    NotAllowed: 403,
    UnknownJob: 404,
    UnknownUpload: 404,
    NoReceipt: 404,
    NoAnswer: 404,
    ReceiptSwept: 404,
    BlobMissing: 404,
    JobOpen: 409,
    WaitTimeout: 409,
    JobFailed: 409,
    GuestFailed: 409,
    InputTooLarge: 413,
    OverQuota: 429,
    TooFast: 429,
    Busy: 503,
    LedgerDown: 503,
    Transient: 503,
    BadInput: 400,
    HostLacks: 400,
    BadReceipt: 400,
    VerificationFailed: 400,
    FarmError: 500,
}


class Problem(msgspec.Struct):
    """What went wrong: the class of the error, and what happened in words."""

    type: str
    msg: str
    #: What the words are made of, by which a client of ours has the same error.
    facts: list[object] = []


def status(error: FarmError) -> int:
    """Return the HTTP status of an error."""
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def problem(error: FarmError) -> Response:
    """Return the answer to a request that came to nothing."""
    headers = {}
    if isinstance(error, Busy):
        headers["retry-after"] = str(max(1, math.ceil(float(str(error.facts[-1])))))
    elif isinstance(error, LedgerDown):
        headers["retry-after"] = "1"
    if isinstance(error, NoKey):
        headers["www-authenticate"] = "Bearer"
    return json(Problem(error.code, str(error), list(error.facts)), status(error), headers)


def json(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return an answer that is JSON."""
    text = msgspec.json.encode(body, enc_hook=str)
    return Response(text, status, headers, media_type="application/json")


def plain(body: bytes, kind: str = "application/octet-stream") -> Response:
    """Return an answer that is bytes as they are."""
    return Response(body, media_type=kind)
