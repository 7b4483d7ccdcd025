"""What the set builder reads, relies on and commits, by its bytes."""

import pytest

from farm import claim as claims
from farm import set_builder
from farm.set_builder import Member

BUILDER = "5e" * 32


def members(count):
    return [Member.of("a7" * 32, bytes([number])) for number in range(count)]


def test_a_members_claim_is_that_of_its_receipt():
    (member,) = members(1)
    assert member.claim == claims.Claim.ok("a7" * 32, b"\0").digest()


def test_members_are_read_by_image_id_and_digest_of_their_journal():
    two = members(2)
    raw = set_builder.stdin(BUILDER, two)
    assert raw[:4] == (5 * 32).to_bytes(4, "little")
    assert raw[4:].hex() == BUILDER + "".join(map("".join, two))


def test_one_member_is_what_a_set_of_one_relies_on():
    (member,) = members(1)
    assert set_builder.united([member]) == member.claim


@pytest.mark.parametrize("count", [3, 5])
def test_an_odd_member_is_united_last(count):
    *others, last = members(count)
    parts = (set_builder.united(others), last.claim)
    both = claims.union(*(claims.assumption(one, claims.RECURSION_ROOT) for one in parts))
    assert set_builder.united([*others, last]) == both


def test_the_journal_has_builder_height_and_root():
    found = set_builder.journal("11" * 32, "22" * 32).hex()
    assert found == "11" * 32 + "80" + "00" * 31 + "22" * 32
