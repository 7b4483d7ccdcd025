"""Lists of inputs and of outputs, as batched guests have them."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.batched import journal, output_of, outputs, stdin
from farm.errors import BadReceipt, FarmError, WrongClaim

PAIRS = st.lists(st.tuples(st.binary(max_size=30), st.binary(max_size=30)), max_size=10)


@given(PAIRS)
def test_every_output_is_found_by_its_number_and_its_input(pairs):
    made = journal(pairs)
    assert [one.output for one in outputs(made)] == [output for _, output in pairs]
    for index, (one, output) in enumerate(pairs):
        assert output_of(made, index, sha256(one).hexdigest()) == output
        with pytest.raises(WrongClaim):
            output_of(made, index, sha256(one + b"!").hexdigest())
    with pytest.raises(WrongClaim):
        output_of(made, len(pairs), "00" * 32)


@given(PAIRS, st.integers(0, 200), st.binary(min_size=1, max_size=3))
def test_what_is_cut_or_goes_on_is_no_list_of_outputs(pairs, at, more):
    made = journal(pairs)
    with pytest.raises(BadReceipt):
        outputs(made + more)
    with pytest.raises(BadReceipt):
        outputs(made[: at % len(made)])


@given(st.binary(max_size=80))
def test_junk_is_refused_or_read(raw):
    try:
        found = outputs(raw)
    except FarmError:
        return
    assert len(found) == int.from_bytes(raw[:4], "little")


def test_what_the_guest_reads_is_one_frame():
    found = stdin([b"ab", b""])
    assert found == bytes([14, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]) + b"ab" + bytes(4)
