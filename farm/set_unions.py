"""The receipts of a set's members, united to the one that the set builder relies on.

Pure. The leaves are proved already.
"""

from collections.abc import Mapping

from farm.claim import RECURSION_ROOT
from farm.members import Leaf, Members
from farm.offers import Offers
from farm.session import Relied, Span
from farm.shapes import MEMBERS
from farm.unions import Unions


class SetUnions(Unions[Leaf]):
    """The members of one set; unless `proved`, only what their union would claim is of interest."""

    shape, leaf_root = MEMBERS, RECURSION_ROOT

    def __init__(
        self, offers: Offers, refs: dict[Span, str], members: Members, *, proved: bool
    ) -> None:
        super().__init__(offers, refs)
        self._members, self._proved = members, proved
        self.offer()

    def note(self, found: Mapping[str, Relied]) -> None:
        """Note how jobs are that members come of."""
        self._members.note(found)
        self.offer()

    def offer(self) -> None:
        """Offer all that is ready, and nothing else."""
        for index in range(len(self.leaves), len(self._members.leaves)):
            leaf = self._members.leaves[index]
            self.leaves[index] = leaf
            self.refs[Span(index, index + 1)] = leaf.ref
        if self._members.complete:
            self.count = len(self._members.leaves)
        if self._proved:
            super().offer()

    def knows(self, span: Span) -> bool:
        """Return whether it is known of whom the output of a union is."""
        return span.end <= len(self.leaves)

    def take(self, span: Span) -> bool:
        """Note that a step is under way; False if what it unites is not there.

        A scheduler that begins anew hears of a union before of its members.
        """
        if self.knows(span):
            return super().take(span)
        self._flying.add(span)
        return True

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such.

        A member's receipt is not the session's to make again.
        """
        return "" if any(leaf.ref == ref for leaf in self.leaves.values()) else super().unbind(ref)

    def leaf_claim(self, index: int) -> str:
        """Return what the receipt of a member proves."""
        return self.leaves[index].claim
