"""Sets of claims, bit for bit as RISC Zero's own crate has them."""

import subprocess

import pytest
from goldens import BLOBS, IMAGES

from farm import mountain, set_builder
from farm.claim import RECURSION_ROOT, ZERO
from farm.errors import AssumptionMissing
from farm.host import HostChild
from farm.inclusion import Inclusion
from farm.set_builder import Member

BUILDER = "5e" * 32
OWN = IMAGES["set-builder"]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 100])
def test_a_set_is_the_crates_byte_for_byte(crate, count):
    journals = [n.to_bytes(1 + n % 20, "little") for n in range(count)]
    image = IMAGES["fibonacci"]
    command = [crate, BUILDER, image, *(journal.hex() for journal in journals)]
    wanted, *members = subprocess.check_output(command, text=True).splitlines()
    claims = [Member.of(image, journal).claim for journal in journals]
    assert set_builder.journal(BUILDER, mountain.root(claims)).hex() == wanted
    paths = mountain.paths(claims)
    ours = [Inclusion(BUILDER, image, *pair) for pair in zip(journals, paths, strict=True)]
    assert [f"{one.encode().hex()} {one.seal().hex()}" for one in ours] == members
    assert {one.root_journal.hex() for one in ours} == {wanted}


@pytest.fixture(scope="module")
def child(host):
    """A real host, which executes guests for real."""
    child = HostChild(host)
    yield child
    child.close()


def build(child, members, claim, **more):
    args = {"po2": 20, "proved": False, "assumed": [{"claim": claim} | more]}
    parts = [(BLOBS / "set-builder.bin").read_bytes(), set_builder.stdin(OWN, members)]
    return child.request("execute", args, parts)


@pytest.mark.parametrize("count", [1, 2, 3, 10, 63])
def test_the_set_builder_relies_on_the_union_and_commits_the_root(child, count):
    images = [IMAGES["fibonacci"], IMAGES["sha256"]]
    members = [Member.of(images[n % 2], bytes([n])) for n in range(count)]
    claim = set_builder.united(members)
    answer = build(child, members, claim, control_root=RECURSION_ROOT)
    root = mountain.root([member.claim for member in members])
    assert answer.parts[0] == set_builder.journal(OWN, root)
    (relied,) = answer.done["assumptions"]
    assert (relied["claim"], relied["control_root"]) == (claim, RECURSION_ROOT)
    assert not relied["proven"]


def test_a_union_is_proved_by_recursion_programs_and_no_others(child):
    members = [Member.of(IMAGES["fibonacci"], bytes([n])) for n in range(2)]
    with pytest.raises(AssumptionMissing, match="control root a54dc85a"):
        build(child, members, set_builder.united(members), control_root=ZERO)
