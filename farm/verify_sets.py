"""Ask a host whether a member's inclusion receipt proves what it should, by the receipt of its set.

A set may itself be a member of a larger one. The format has no room for that, so it is verified in
two steps: the member is in its set, and the set, a program that ended well, is in the larger one.
"""

from dataclasses import dataclass

from farm import inclusion, verify
from farm.errors import BadReceipt, WrongClaim
from farm.inclusion import Inclusion
from farm.set_builder import IMAGE_ID
from farm.settings import Settings
from farm.verify import Verified


@dataclass(frozen=True)
class VerifiedMember(Verified):
    """What an inclusion receipt proves: the digest is the claim's, the root that of the set.

    In two steps it is the root of the larger set.
    """

    root: str


def member(
    raw: bytes,
    image_id: str,
    *,
    root: bytes | None = None,
    via: bytes | None = None,
    builder: str = IMAGE_ID,
    settings: Settings | None = None,
) -> VerifiedMember:
    """Return what an inclusion receipt proves, once it is shown to prove it of this program.

    `root` is the receipt of the set, taken for the one in `raw`, if any; `via` is the inclusion
    receipt of that set in a larger one, whose receipt is `root` then; `builder` is the image id of
    what made the sets. Raises BadReceipt, WrongClaim or WrongKind as
    `verify.verify` does, and BadReceipt where the receipt of the set is nowhere.
    """
    one, held = inclusion.read(raw, builder)
    top, wanted = one, image_id
    if via is not None:
        top, held = inclusion.read(via, builder)
        included(one, image_id, top.journal)
        wanted = builder
    if (root := held if root is None else root) is None:
        raise BadReceipt("the receipt of its set is neither in it nor given (--root)")
    included(top, wanted, verify.verify(root, builder, settings).journal)
    return VerifiedMember("inclusion", one.claim, one.journal, top.root)


def included(one: Inclusion, image_id: str, journal: bytes) -> None:
    """Raise WrongClaim unless this program's member is in the set with this journal.

    It takes microseconds: whoever has verified the receipt of the set checks any number so.
    """
    if one.image_id != image_id:
        raise WrongClaim(f"image {one.image_id}", f"image {image_id}")
    if one.root_journal != journal:
        raise WrongClaim(f"a set with journal {journal.hex()}", f"one with root {one.root}")
