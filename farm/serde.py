"""Encode Python values as the words that a guest's `env::read` expects.

The zkVM's serde writes little-endian 32-bit words, a value after the other, no types:

    Python                              Rust, as read            words
    bool                                bool                     1
    int (0 to 2^32 - 1), u32(n)         u8, u16, u32, usize      1
    i32(n)                              i8, i16, i32             1, two's complement
    u64(n), i64(n)                      u64, i64                 2, low word first
    u128(n), i128(n)                    u128, i128               4, low word first
    float, f64(x) / f32(x)              f64 / f32                2 / 1
    char(c)                             char                     1
    str                                 String                   length, then its bytes, zero-padded
    bytes                               Vec<u8>                  length, then one word a byte
    packed(b)                           serde_bytes::ByteBuf     length, then its bytes, zero-padded
    list                                Vec<T>                   length, then the elements
    dict                                map                      length, then key, value, ...
    tuple                               tuple, struct, [T; n]    the fields, no length
    None / some(x)                      Option<T>                0 / 1, then x
    variant(i, *fields)                 enum                     index, then the fields

A guest that reads raw bytes (`env::read_slice`, `env::stdin`) is fed plain `bytes` instead.
"""

import struct
from collections.abc import Callable
from typing import Any

from farm.errors import BadInput


class Word(bytes):
    """A value that is encoded already; what the markers return."""

    __slots__ = ()


def _integer(name: str, size: int, *, signed: bool) -> Callable[[int], Word]:
    def encode(value: int) -> Word:
        try:
            return Word(int(value).to_bytes(size, "little", signed=signed))
        except OverflowError:
            raise BadInput(f"words: {value} does not fit {name}") from None

    encode.__name__ = encode.__qualname__ = name
    encode.__doc__ = f"Return `value` as a Rust {name}."
    return encode


u32 = _integer("u32", 4, signed=False)
u64 = _integer("u64", 8, signed=False)
u128 = _integer("u128", 16, signed=False)
i32 = _integer("i32", 4, signed=True)
i64 = _integer("i64", 8, signed=True)
i128 = _integer("i128", 16, signed=True)


def f32(value: float) -> Word:
    """Return `value` as a Rust f32."""
    return Word(struct.pack("<f", value))


def f64(value: float) -> Word:
    """Return `value` as a Rust f64."""
    return Word(struct.pack("<d", value))


def char(value: str) -> Word:
    """Return one character as a Rust char."""
    return u32(ord(value))


def packed(value: bytes) -> Word:
    """Return bytes as `serde_bytes` reads them: the length, then the bytes padded to a word."""
    return Word(u32(len(value)) + value + bytes(-len(value) % 4))


def some(value: Any) -> Word:
    """Return `value` as Rust's Some; None stands for Rust's None."""
    return Word(u32(1) + encode(value))


def variant(index: int, *fields: Any) -> Word:
    """Return the enum variant number `index` (in order of declaration) with its fields."""
    return Word(u32(index) + words(*fields))


def words(*values: Any) -> bytes:
    """Return the stdin of a guest that reads `values` one after the other with `env::read`.

    Raises BadInput for a value that has no encoding, such as an int over 32 bits without a marker.
    """
    return b"".join(map(encode, values))


def encode(value: Any) -> bytes:
    """Return the words of one value."""
    if isinstance(value, Word):
        return value
    for kind, encoder in _ENCODERS:
        if isinstance(value, kind):
            return encoder(value)
    raise BadInput(f"words: no encoding for {type(value).__name__}; see farm.words")


def _bare(value: int) -> bytes:
    if not 0 <= value < 1 << 32:
        raise BadInput(f"words: {value} does not fit u32; say u64(..), i32(..) or the like")
    return u32(value)


_ENCODERS: list[tuple[type, Callable[[Any], bytes]]] = [
    (bool, u32),  # before int, which it is one of
    (int, _bare),
    (float, f64),
    (str, lambda value: packed(value.encode())),
    (bytes, lambda value: u32(len(value)) + struct.pack(f"<{len(value)}I", *value)),
    (list, lambda value: u32(len(value)) + words(*value)),
    (tuple, lambda value: words(*value)),
    (
        dict,
        lambda value: u32(len(value)) + words(*(part for item in value.items() for part in item)),
    ),
    (type(None), lambda _: u32(0)),
]


def _typed(mark: Callable[[int], Word]) -> Callable[[str], bytes]:
    return lambda text: mark(int(text, 0))


#: Names that `parse` knows, each taking the text after the colon.
_MARKERS: dict[str, Callable[[str], bytes]] = {
    **{mark.__name__: _typed(mark) for mark in (u32, u64, u128, i32, i64, i128)},
    "f32": lambda text: f32(float(text)),
    "f64": lambda text: f64(float(text)),
    "bool": lambda text: u32({"false": 0, "true": 1}[text]),
    "str": encode,
    "bytes": lambda text: encode(bytes.fromhex(text)),
    "packed": lambda text: packed(bytes.fromhex(text)),
}


def parse(text: str) -> bytes:
    """Return the words of one value as typed: `u64:7`, `str:hello`, `bytes:00ff`, or a bare u32.

    Raises BadInput for an unknown marker or a value that is not one.
    """
    name, _, rest = text.partition(":") if ":" in text else ("u32", ":", text)
    try:
        return _MARKERS[name](rest)
    except (KeyError, ValueError):
        known = ", ".join(_MARKERS)
        raise BadInput(f"words: cannot read {text!r}; say TYPE:VALUE with one of {known}") from None
