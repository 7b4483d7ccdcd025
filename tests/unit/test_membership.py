"""Who was asked to be in a set is told so, with the proof or the reason."""

import msgspec

from farm import mountain, set_builder
from farm.errors import BadReceipt
from farm.members import Entry
from farm.membership import read
from farm.set_builder import Member

OWN, IMAGE = "5e" * 32, "ab" * 32
JOURNALS = {"ref-one": b"one", "ref-two": b"two"}


def entry(name, place, journal):
    member = Member.of(IMAGE, JOURNALS[journal])
    return Entry(name, place, IMAGE, member.journal_digest, journal)


def test_each_has_its_path_or_its_reason():
    left_out = Entry("bad", code="BadReceipt", facts=["it does not verify"])
    entries = [
        entry("b", 1, "ref-two"),
        left_out,
        entry("a", 0, "ref-one"),
        entry("c", 1, "ref-two"),
    ]
    found = read(msgspec.json.encode(entries), OWN, JOURNALS.__getitem__)
    assert [one.name for one in found] == ["b", "bad", "a", "c"]
    assert isinstance(found[1].error, BadReceipt) and found[1].inclusion is None
    root = mountain.root([Member.of(IMAGE, one).claim for one in (b"one", b"two")])
    inside = [one.inclusion for one in found if one.inclusion]
    assert {one.root_journal for one in inside} == {set_builder.journal(OWN, root)}
    assert [one.journal for one in inside] == [b"two", b"one", b"two"]
