"""Frames between the farm and its host: a JSON header, then the bodies it names.

A frame is the header's length (u32), the bodies' length together (u64), both little-endian,
the header, the bodies one after the other; the header's "parts" lists their lengths.
"""

import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import msgspec

_LENGTHS = struct.Struct("<IQ")

#: Limits in bytes: a peer that asks for more is broken, and must not be obeyed.
HEADER_LIMIT = 1 << 20
BODY_LIMIT = 1 << 30

Part = bytes | memoryview


class BrokenFrame(ValueError):
    """What was read is not a frame; host.py turns it into an error of the farm."""


def write_frame(pipe: BinaryIO, header: dict[str, Any], parts: Sequence[Part] = ()) -> None:
    """Write one frame and flush it; the header gets its "parts"."""
    head = msgspec.json.encode({**header, "parts": [len(part) for part in parts]})
    pipe.write(_LENGTHS.pack(len(head), sum(map(len, parts))))
    pipe.write(head)
    for part in parts:
        pipe.write(part)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> tuple[dict[str, Any], list[bytes]]:
    """Return the header and the bodies of the next frame.

    Raises EOFError when the pipe ends, BrokenFrame when what comes is not a frame.
    """
    head_length, body_length = _LENGTHS.unpack(_exactly(pipe, _LENGTHS.size))
    if head_length > HEADER_LIMIT or body_length > BODY_LIMIT:
        raise BrokenFrame(f"it claims {head_length} + {body_length} bytes")
    header = _header(_exactly(pipe, head_length))
    lengths = header.get("parts", [])
    if sum(lengths) != body_length:
        raise BrokenFrame(f"parts of {sum(lengths)} bytes in a body of {body_length}")
    return header, [_exactly(pipe, length) for length in lengths]


class _Parts(msgspec.Struct):
    parts: list[int] = []


def _header(raw: bytes) -> dict[str, Any]:
    try:
        lengths = msgspec.json.decode(raw, type=_Parts).parts
        header: dict[str, Any] = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BrokenFrame(error) from error
    if any(length < 0 for length in lengths):
        raise BrokenFrame("a part of negative length")
    return header


def _exactly(pipe: BinaryIO, length: int) -> bytes:
    found = pipe.read(length)
    if len(found) != length:
        raise EOFError("inside a frame" if found else "between frames")
    return found
