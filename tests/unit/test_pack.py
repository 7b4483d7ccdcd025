"""Packed buffers: what comes back, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadTrace
from farm.pack import pack, unpack

TYPES = {"wide": "<u8", "bytes": "u1"}
COLUMNS = {"wide": np.array([1, 2**64 - 1], "u8"), "bytes": np.arange(6, dtype="u1").reshape(2, 3)}


def test_what_is_packed_comes_back():
    head, columns = unpack(pack({"program": "fib.v0"}, COLUMNS, TYPES), TYPES)
    assert head == {"program": "fib.v0"}
    assert all(np.array_equal(columns[name], COLUMNS[name]) for name in TYPES)
    assert not columns["wide"].flags.writeable
    assert columns["wide"].ctypes.data % 8 == 0


@given(st.integers(0, 200))
def test_every_cut_is_noticed(at):
    whole = pack({}, COLUMNS, TYPES)
    with pytest.raises(BadTrace, match="packed batch"):
        unpack(whole[: min(at, len(whole) - 1)], TYPES)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_an_error_or_another_number_but_never_a_crash(at, flip):
    whole = bytearray(pack({}, COLUMNS, TYPES))
    whole[at % len(whole)] ^= flip
    try:
        _, columns = unpack(bytes(whole), TYPES)
    except BadTrace:
        return
    assert list(columns) == list(TYPES)


@pytest.mark.parametrize(
    "shape", ["[-1]", "[-1,-2]", "[9999999999999]", "[0,9999999999999999999999]", "[2,2]"]
)
def test_a_shape_that_lies_is_refused(shape):
    header = b'{"head":{},"columns":{"wide":' + shape.encode() + b',"bytes":[2,3]}}'
    data = b"PFT1" + len(header).to_bytes(4, "little") + header + bytes(22)
    with pytest.raises(BadTrace, match="packed batch"):
        unpack(data, TYPES)


def test_other_columns_and_trailing_bytes_are_refused():
    with pytest.raises(BadTrace, match="are not bytes, wide"):
        unpack(pack({}, COLUMNS, TYPES), dict(reversed(TYPES.items())))
    with pytest.raises(BadTrace, match="1 bytes after"):
        unpack(pack({}, COLUMNS, TYPES) + b"x", TYPES)
