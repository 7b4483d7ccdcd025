"""The Merkle tree of a set: the crate's roots, and paths that lead to them."""

import pytest

from farm import mountain
from farm.claim import Claim
from farm.errors import BadInput

#: Three times the same digest, and its root: as the crate risc0-aggregation 0.9 tests itself.
LEAF = "6a428060b5d51f04583182f2ff1b565f9db661da12ee7bdc003e9ab6d5d91ba9"
ROOT = "bd792a6858270b233a6b399c1cbc60c5b1046a5b43758b9abc46ba32d23c7352"
FIBONACCI = "a721ed2ec8c09bd55bc4bde9f065f5e28660fe6acf8fe25b2e5e82a61edb8afd"
#: Roots that the set builder has committed, of so many claims with the journals 0, 1, 2, …
COMMITTED = {
    1: "f69d236f292565203145bf762cddea5cfac32b2e11aac2a5bc0b7164b3a3a5b5",
    2: "9b1831064b6f288b125b0263f88101e924a429184c5de3c0cc1752d3391207e8",
    3: "7845ae3d032898125e726bfe716b514cda0621259e992b8ad6b6be0bdb88b913",
    10: "764938f8eeadd4b94e633a88f46ea02952ab5d9e97f1cf94a0024a7515ec7585",
    63: "238f30a7b4367d9d7433a9f1b04a645121c362ed08e098d9b971d60134defef1",
    100: "07ea385e6774df44ac1c136f976c36ed40795d9fa7f20b872a6821630f92cd9a",
}


def claims(count):
    return [Claim.ok(FIBONACCI, n.to_bytes(16, "little")).digest() for n in range(count)]


def test_the_root_is_the_crates():
    assert mountain.root([LEAF] * 3) == ROOT


@pytest.mark.parametrize("count", COMMITTED)
def test_the_root_is_the_guests(count):
    assert mountain.root(claims(count)) == COMMITTED[count]


@pytest.mark.parametrize("count", range(1, 40))
def test_every_path_leads_to_the_root(count):
    found = claims(count)
    root, paths = mountain.root(found), mountain.paths(found)
    assert [mountain.climb(*pair) for pair in zip(found, paths, strict=True)] == [root] * count
    assert max(map(len, paths)) == (count - 1).bit_length()


def test_a_path_of_another_member_leads_elsewhere():
    found = claims(5)
    paths = mountain.paths(found)
    assert mountain.climb(found[0], paths[4]) != mountain.root(found)


def test_a_set_has_members():
    with pytest.raises(BadInput, match="no members"):
        mountain.root([])
