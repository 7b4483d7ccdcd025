"""Words for a guest's env::read, against what the zkVM's own serde writes."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.errors import BadInput
from farm.serde import (
    char,
    f32,
    i32,
    i64,
    i128,
    packed,
    parse,
    some,
    u32,
    u64,
    u128,
    variant,
    words,
)

# Printed by risc0-zkvm 3.0.6's own serde::to_vec for the Rust values that these stand for.
MADE_BY_RUST = [
    (True, "01000000"),
    (7, "07000000"),
    (u64(1 << 40 | 5), "0500000000010000"),
    (i32(-2), "feffffff"),
    (i32(-3), "fdffffff"),
    (i64(-2), "feffffffffffffff"),
    (u128((1 << 100) + 9), "09000000000000000000000010000000"),
    (i128(-9), "f7ffffffffffffffffffffffffffffff"),
    (1.5, "000000000000f83f"),
    (f32(1.5), "0000c03f"),
    (char("ß"), "df000000"),
    ("grüße", "070000006772c3bcc39f6500"),
    ("", "00000000"),
    (b"abc", "03000000610000006200000063000000"),
    (packed(b"abcde"), "050000006162636465000000"),
    ([u64(1), u64(2)], "0200000001000000000000000200000000000000"),
    ([], "00000000"),
    ((1, u64(2), "x"), "0100000002000000000000000100000078000000"),
    (None, "00000000"),
    (some(u64(3)), "010000000300000000000000"),
    ({1: "a", 2: "b"}, "02000000010000000100000061000000020000000100000062000000"),
    (variant(1, 5, u64(6)), "01000000050000000600000000000000"),
    (variant(2, True), "0200000001000000"),
    (variant(3), "03000000"),
    (
        (9, "hey", some(i64(-1)), (1, 2, 3)),
        "09000000030000006865790001000000ffffffffffffffff010000000200000003000000",
    ),
    ((u64(0), u64(1), 10), "000000000000000001000000000000000a000000"),
]


@pytest.mark.parametrize(("value", "expected"), MADE_BY_RUST)
def test_values_are_encoded_as_the_zkvms_serde_does(value: Any, expected: str) -> None:
    assert words(value).hex() == expected


def test_values_follow_one_another() -> None:
    assert words(u64(0), u64(1), u32(10)) == words((u64(0), u64(1), 10))
    assert words() == b""


@given(st.binary(max_size=40))
def test_every_encoding_is_whole_words(data: bytes) -> None:
    assert len(packed(data)) == 4 + (len(data) + 3) // 4 * 4
    assert len(words(data)) == 4 + 4 * len(data)


@pytest.mark.parametrize("value", [1 << 32, -1])
def test_an_int_that_is_no_u32_wants_a_marker(value: int) -> None:
    with pytest.raises(BadInput, match="does not fit u32; say u64"):
        words(value)


@pytest.mark.parametrize(
    ("mark", "value"), [(u32, 1 << 32), (u64, -1), (i32, 1 << 31), (i64, 1 << 63), (i128, 1 << 127)]
)
def test_a_marker_refuses_what_does_not_fit(mark: Any, value: int) -> None:
    with pytest.raises(BadInput, match=f"does not fit {mark.__name__}"):
        mark(value)


def test_what_has_no_encoding_is_named() -> None:
    with pytest.raises(BadInput, match="no encoding for set"):
        words([{1}])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7", 7),
        ("u64:0x10", u64(16)),
        ("i32:-2", i32(-2)),
        ("str:a:b", "a:b"),
        ("bytes:00ff", b"\x00\xff"),
        ("packed:00ff", packed(b"\x00\xff")),
        ("bool:true", True),
        ("f64:1.5", 1.5),
    ],
)
def test_words_can_be_typed_on_a_command_line(text: str, value: Any) -> None:
    assert parse(text) == words(value)


@pytest.mark.parametrize("text", ["x", "u64:", "u65:1", "bytes:0", "bool:yes", "u32:-1"])
def test_a_typed_value_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="words: "):
        parse(text)
