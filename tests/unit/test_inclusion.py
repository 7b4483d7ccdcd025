"""A member's inclusion receipt is read as it was written, or refused for what is wrong with it."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import mountain, set_builder, verify, verify_sets
from farm.errors import BadReceipt, FarmError, WrongClaim, WrongKind
from farm.inclusion import Inclusion, read, seems
from farm.set_builder import Member
from farm.verify import Verified

OWN, IMAGE, OTHER = set_builder.IMAGE_ID, "ab" * 32, "cd" * 32
GUEST = Path(__file__).resolve().parents[2] / "guest"


def a_set(journals, image=IMAGE):
    paths = mountain.paths([Member.of(image, one).claim for one in journals])
    return [Inclusion(OWN, image, *pair) for pair in zip(journals, paths, strict=True)]


def receipt(journal):
    """Return bytes that end as every receipt does: the journal, and a digest."""
    return b"\1\0\0\0 a seal " + len(journal).to_bytes(8, "little") + journal + bytes(range(32))


@pytest.fixture
def proved(monkeypatch):
    """Take every receipt above for one of the set builder's that holds."""

    def check(raw, image_id, settings=None):
        if image_id != OWN:
            raise WrongClaim(f"image {OWN}", f"image {image_id}")
        return Verified("succinct", "", raw[-128:-32])

    monkeypatch.setattr(verify, "verify", check)


def test_the_farms_set_builder_is_the_one_in_the_repository():
    images = tomllib.loads((GUEST / "images.toml").read_text())["images"]
    assert images["set-builder"] == OWN


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=20, unique=True), st.booleans())
def test_what_is_read_is_what_was_written(journals, attached):
    for one in a_set(journals):
        root = receipt(one.root_journal) if attached else None
        raw = one.encode(root)
        assert seems(raw)
        assert read(raw) == (one, root)


@given(st.data(), st.integers(1, 5), st.booleans())
def test_no_byte_can_be_another(data, count, attached):
    one = a_set([bytes([number]) * 3 for number in range(count)])[0]
    journal = one.root_journal
    raw = bytearray(one.encode(receipt(journal) if attached else None))
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at] ^= data.draw(st.integers(1, 255))
    try:
        found, root = read(bytes(raw))
        verify_sets.included(found, IMAGE, journal)
    except FarmError:
        return
    # Of the receipt in it only the verifier can tell.
    assert attached and root != receipt(journal) and found == one


@pytest.mark.parametrize("cut", [0, 1, 40, 120, -1, -32, -33])
def test_what_is_cut_is_no_inclusion_receipt(cut):
    raw = a_set([b"one", b"two"])[0].encode()
    with pytest.raises((BadReceipt, WrongClaim)):
        read(raw[:cut])


def test_what_follows_it_is_refused():
    with pytest.raises((BadReceipt, WrongClaim)):
        read(a_set([b"one", b"two"])[0].encode() + b"\0")


def test_what_plays_a_receipt_is_none():
    with pytest.raises(WrongKind, match="of kind trace"):
        read(b"PFT1")


def test_a_set_of_another_builder_is_named():
    with pytest.raises(WrongClaim, match=OTHER):
        read(a_set([b"one"])[0].encode(), OTHER)


def test_a_member_is_proved_by_the_receipt_of_its_set(proved):
    one, two = a_set([b"one", b"two"])
    root = receipt(one.root_journal)
    found = verify_sets.member(one.encode(root), IMAGE)
    assert (found.kind, found.journal) == ("inclusion", b"one")
    assert found.digest == Member.of(IMAGE, b"one").claim and found.root == one.root
    assert verify_sets.member(two.encode(), IMAGE, root=root).journal == b"two"


def test_without_the_receipt_of_its_set_nothing_is_proved(proved):
    one = a_set([b"one"])[0]
    with pytest.raises(BadReceipt, match="--root"):
        verify_sets.member(one.encode(), IMAGE)


def test_a_receipt_of_the_set_that_is_given_is_the_one_that_counts(proved):
    one = a_set([b"one"])[0]
    with pytest.raises(WrongClaim, match="a set with journal"):
        verify_sets.member(one.encode(receipt(one.root_journal)), IMAGE, root=b"")


def test_another_program_or_another_set_is_refused(proved):
    one = a_set([b"one", b"two"])[0]
    with pytest.raises(WrongClaim, match=f"image {IMAGE}, not image {OTHER}"):
        verify_sets.member(one.encode(receipt(one.root_journal)), OTHER)
    with pytest.raises(WrongClaim, match="a set with journal"):
        verify_sets.member(one.encode(), IMAGE, root=receipt(a_set([b"three"])[0].root_journal))


def test_a_member_of_a_set_in_a_larger_one_is_proved_in_two_steps(proved):
    lower = a_set([b"one", b"two"])
    upper = a_set([lower[0].root_journal, b"another set"], image=OWN)[0]
    above = {"via": upper.encode(), "root": receipt(upper.root_journal)}
    found = verify_sets.member(lower[1].encode(), IMAGE, **above)
    assert found.journal == b"two" and found.root == upper.root
    stranger = a_set([b"three", b"four"])[0]
    with pytest.raises(WrongClaim, match="a set with journal"):
        verify_sets.member(stranger.encode(), IMAGE, **above)
    # What the larger set has in it has to be a set, not any program that puts out the same.
    foreign = a_set([lower[0].root_journal], image=OTHER)[0]
    with pytest.raises(WrongClaim, match=f"image {OTHER}, not image {OWN}"):
        above = {"via": foreign.encode(), "root": receipt(foreign.root_journal)}
        verify_sets.member(lower[1].encode(), IMAGE, **above)
