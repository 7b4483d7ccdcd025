"""Claims: their digests are RISC Zero's, and two neighbours make one."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.claim import ZERO, Claim, output, state, tagged

digests = st.binary(min_size=32, max_size=32).map(bytes.hex)
words = st.integers(0, 2**32 - 1)
claims = st.builds(Claim, digests, digests, digests, digests, words, words)


def test_a_tagged_struct_hashes_as_in_risc0_binfmt():
    # The vector of risc0-binfmt's own test_tagged_struct.
    first = tagged("foo", [], [1, 2013265920, 3])
    second = tagged("bar", [first, first], [2013265920, 5])
    third = tagged("baz", [first, second, first], [6, 7, 2013265920, 9, 10])
    assert third == "9ff20cc6d365efa2af09181772f49013d05cdee6da896851614cae23aa5dd442"


def test_the_state_of_a_machine_that_halted_is_the_known_constant():
    # The state digest every on-chain verifier of RISC Zero has built in.
    assert state(0, ZERO) == "a3acc27117418996340b84e5a90f3ef4c49d22c79e44aad822ec9c313e1eb8e2"


def test_a_claim_hashes_its_fields_in_the_order_of_risc0():
    claim = Claim("11" * 32, "22" * 32, "33" * 32, "44" * 32, 0, 7)
    down = ["33" * 32, "11" * 32, "22" * 32, "44" * 32]
    assert claim.digest() == tagged("risc0.ReceiptClaim", down, [0, 7])


@given(claims, claims, claims)
def test_joining_does_not_depend_on_the_order(a, b, c):
    assert a.join(b).join(c) == a.join(b.join(c))


@given(claims, claims)
def test_a_join_starts_as_its_left_and_ends_as_its_right(left, right):
    joined = left.join(right)
    assert (joined.pre, joined.input) == (left.pre, left.input)
    assert (joined.post, joined.output) == (right.post, right.output)
    assert (joined.sys_exit, joined.user_exit) == (right.sys_exit, right.user_exit)


@given(claims)
def test_a_claim_survives_the_wire(claim):
    assert msgspec.json.decode(msgspec.json.encode(claim), type=Claim) == claim


def test_a_finished_guest_claims_its_image_and_its_journal():
    claim = Claim.ok("ab" * 32, b"journal")
    assert claim.pre == "ab" * 32
    assert claim.output == output(b"journal") != output(b"journal", "01" * 32)
    assert claim.digest() != Claim.ok("ab" * 32, b"journa").digest()


def test_a_claim_with_a_field_too_many_is_refused():
    raw = msgspec.json.encode({**msgspec.to_builtins(Claim.ok(ZERO, b"")), "extra": 1})
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=Claim)
