"""Pack named columns of numbers into one buffer, and read them back.

A buffer is: magic, length of the header (u32), a JSON header {"head": {..}, "columns": {name:
shape}}, blanks up to a multiple of 8, then each column's raw little-endian bytes in the header's
order. What a buffer says of itself is checked against its length before any of it is used.
"""

import math
import struct
from collections.abc import Mapping

import msgspec
import numpy as np
import numpy.typing as npt

from farm.errors import BadTrace

MAGIC = b"PFT1"
_PREFIX = struct.Struct("<4sI")

Column = npt.NDArray[np.generic]


class Header(msgspec.Struct, forbid_unknown_fields=True):
    """What stands before the columns."""

    head: dict[str, str]
    columns: dict[str, list[int]]


def pack(head: dict[str, str], columns: Mapping[str, Column], types: Mapping[str, str]) -> bytes:
    """Return the buffer of `columns`, each stored as its type in `types`; widest columns first."""
    stored = {name: np.ascontiguousarray(columns[name], kind) for name, kind in types.items()}
    shapes = {name: list(column.shape) for name, column in stored.items()}
    header = msgspec.json.encode(Header(head, shapes))
    # JSON ignores blanks at its end, and with them the columns can be read where they lie.
    header += b" " * (-(_PREFIX.size + len(header)) % 8)
    body = [column.data for column in stored.values()]
    return b"".join([_PREFIX.pack(MAGIC, len(header)), header, *body])


def unpack(data: bytes, types: Mapping[str, str]) -> tuple[dict[str, str], dict[str, Column]]:
    """Return head and columns of a buffer, the columns read-only and without a copy.

    Raises BadTrace for a buffer that is not whole or holds other columns than `types`.
    """
    header, at = _header(data)
    if list(header.columns) != list(types):
        raise BadTrace(
            f"packed batch: columns {', '.join(header.columns)} are not {', '.join(types)}"
        )
    columns: dict[str, Column] = {}
    for name, shape in header.columns.items():
        kind, count = np.dtype(types[name]), math.prod(shape)
        if not all(0 <= size <= len(data) for size in shape) or at + count * kind.itemsize > len(
            data
        ):
            raise BadTrace(f"packed batch: column {name} is not whole")
        columns[name] = np.frombuffer(data, kind, count, at).reshape(shape)
        at += count * kind.itemsize
    if at != len(data):
        raise BadTrace(f"packed batch: {len(data) - at} bytes after the last column")
    return header.head, columns


def _header(data: bytes) -> tuple[Header, int]:
    if len(data) < _PREFIX.size or not data.startswith(MAGIC):
        raise BadTrace("packed batch: not one")
    end = _PREFIX.size + _PREFIX.unpack_from(data)[1]
    try:
        return msgspec.json.decode(data[_PREFIX.size : end], type=Header), end
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadTrace(f"packed batch: header: {error}") from error
