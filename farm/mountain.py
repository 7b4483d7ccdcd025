"""The Merkle tree over the claims of a set: its root, and the path of each member to it.

Pure. It is the range that the crate risc0-aggregation 0.9 builds, finished: neighbours are hashed
in pairs, an odd last one goes up as it is, and a pair's hash does not tell which was the left one.
All digests are 64 hex digits.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce

from Crypto.Hash import keccak

from farm.errors import BadInput

Level = list[bytes]


class Tree:
    """The whole tree over claim digests in their order; raises BadInput for none."""

    def __init__(self, claims: Iterable[str]) -> None:
        self._levels = _levels(claims)

    @property
    def root(self) -> str:
        """The root."""
        return self._levels[-1][0].hex()

    def path(self, number: int) -> list[str]:
        """Return the nodes that lead from claim `number` to the root."""
        return list(_beside(self._levels, number))


def root(claims: Sequence[str]) -> str:
    """Return the root over claim digests in their order; raises BadInput for none."""
    return Tree(claims).root


def paths(claims: Sequence[str]) -> list[list[str]]:
    """Return for each claim the nodes that lead from it to the root; raises BadInput for none.

    All at once they cost as much as the root.
    """
    tree = Tree(claims)
    return [tree.path(number) for number in range(len(claims))]


def climb(claim: str, path: Iterable[str]) -> str:
    """Return the root that a claim's digest and a path lead to."""
    return reduce(_met, map(bytes.fromhex, path), _leaf(claim)).hex()


def forget() -> None:
    """Drop the nodes that members have met on their way, for who measures that way."""
    _met.cache_clear()


def _levels(claims: Iterable[str]) -> list[Level]:
    levels = [[_leaf(claim) for claim in claims]]
    if not levels[0]:
        raise BadInput("a set of claims: it has no members")
    while len(below := levels[-1]) > 1:
        pairs = zip(below[::2], below[1::2], strict=False)
        odd = below[-1:] if len(below) % 2 else []
        levels.append([*(_pair(*both) for both in pairs), *odd])
    return levels


def _beside(levels: list[Level], number: int) -> Iterable[str]:
    for level in levels:
        if number ^ 1 < len(level):
            yield level[number ^ 1].hex()
        number //= 2


def _leaf(claim: str) -> bytes:
    return _keccak(b"LEAF_TAG" + bytes.fromhex(claim))


def _pair(one: bytes, other: bytes) -> bytes:
    return _keccak(min(one, other) + max(one, other))


#: On their way to the root the members of a set meet the same nodes.
_met = lru_cache(maxsize=1 << 12)(_pair)


def _keccak(body: bytes) -> bytes:
    return keccak.new(data=body, digest_bits=256).digest()
