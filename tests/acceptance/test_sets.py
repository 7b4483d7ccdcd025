"""Sets of claims, bit for bit as RISC Zero's own crate has them."""

import subprocess

import crates
import pytest
from goldens import IMAGES

from farm import mountain
from farm.claim import Claim
from farm.inclusion import Inclusion

BUILDER = "5e" * 32


@pytest.fixture(scope="session")
def crate(host):
    """A program that makes sets by the crate, built."""
    return crates.built("sets")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 100])
def test_a_set_is_the_crates_byte_for_byte(crate, count):
    journals = [n.to_bytes(1 + n % 20, "little") for n in range(count)]
    image = IMAGES["fibonacci"]
    command = [crate, BUILDER, image, *(journal.hex() for journal in journals)]
    wanted, *members = subprocess.check_output(command, text=True).splitlines()
    claims = [Claim.ok(image, journal).digest() for journal in journals]
    assert mountain.journal(BUILDER, mountain.root(claims)).hex() == wanted
    paths = mountain.paths(claims)
    ours = [Inclusion(BUILDER, image, *pair) for pair in zip(journals, paths, strict=True)]
    assert [f"{one.encode().hex()} {one.seal().hex()}" for one in ours] == members
    assert {one.root_journal.hex() for one in ours} == {wanted}
