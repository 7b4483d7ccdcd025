"""Unite the receipts that one guest relies on to one: a tree of unions, and what is ready of it.

Pure. The guest relies on the root, so the claim of every union is known before it is proved.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import ClassVar, Generic, TypeVar

from farm.claim import RECURSION_ROOT, assumption, union
from farm.offers import RECURSION, Offers, Rank
from farm.session import Relied, Span, step_name
from farm.shapes import Shape, mountains

Leaf = TypeVar("Leaf")


class Unions(ABC, Generic[Leaf]):
    """The unions of one execution; `refs` are the outputs bound already, of leaves too."""

    #: What it looks like, and which programs prove a leaf.
    shape: ClassVar[Shape]
    leaf_root: ClassVar[str]

    def __init__(self, offers: Offers, refs: dict[Span, str]) -> None:
        self.refs = refs
        self.leaves: dict[int, Leaf] = {}
        #: How many leaves there are, None while there may be more.
        self.count: int | None = None
        self._offers = offers
        self._flying: set[Span] = set()
        self._offered: set[Span] = set()
        self._claims: dict[Span, str] = {}

    @abstractmethod
    def leaf_claim(self, index: int) -> str:
        """Return the digest of what a leaf proves."""

    # What it says of itself.

    @property
    def proved(self) -> int:
        """How many leaves are proved."""
        return sum(_size(span) == 1 for span in self.refs)

    @property
    def united(self) -> int:
        """How many unions are proved."""
        return len(self.refs) - self.proved

    @property
    def whole(self) -> bool:
        """Whether all leaves that there will be are known."""
        return self.count is not None and len(self.leaves) >= self.count

    @property
    def root(self) -> str:
        """The reference of the receipt of all leaves, "" while there is none."""
        return self.refs.get(Span(0, self.count), "") if self.count else ""

    def proves(self, claim: str, control_root: str) -> bool:
        """Return whether the root proves what the guest relies on."""
        if not self.count or not self.whole:
            return False
        return assumption(claim, control_root) == self._assumed(Span(0, self.count))

    @property
    def top(self) -> str:
        """The digest of what all leaves prove, "" while it is not known."""
        return self.claim(Span(0, self.count)) if self.count and self.whole else ""

    def knows(self, span: Span) -> bool:
        """Return whether it is known of whom the output of a union is."""
        return True

    def inputs(self, span: Span) -> list[str]:
        """Return the references of what a union works on."""
        return [self.refs[half] for half in self.shape.halves(span)]

    def claim(self, span: Span) -> str:
        """Return the digest of what the output of a step has to prove."""
        if _size(span) == 1:
            return self.leaf_claim(span.start)
        if span not in self._claims:
            self._claims[span] = union(*map(self._assumed, self.shape.halves(span)))
        return self._claims[span]

    def cost(self, span: Span) -> int:
        """Return the work in a step, in cycles of proving."""
        return RECURSION

    # What happens to it.

    def note(self, found: Mapping[str, Relied]) -> None:
        """Note how jobs are that leaves come of."""

    def end(self, count: int) -> None:
        """Note that there will be no more than so many leaves."""
        self.count = count
        self.offer()

    def take(self, span: Span) -> bool:
        """Note that a step is under way; False if what it unites is not there."""
        if _size(span) > 1 and not self._whole(span):
            return False
        self._flying.add(span)
        self._withdraw({span})
        return True

    def drop(self, span: Span) -> None:
        """Note that a step came to nothing; it is ready again, or what it needs."""
        self._flying.discard(span)
        self.offer()

    def bound(self, span: Span, ref: str) -> None:
        """Note the output of a step."""
        self._flying.discard(span)
        self.refs[span] = ref
        if _size(span) > 1:
            self._withdraw({one for one in self._offered if _within(one, span)})
        upper = self.shape.above(span, self.count)
        if upper and self._whole(upper):
            self._offer(self._missing(upper))

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        span = next((span for span, known in self.refs.items() if known == ref), None)
        if span is None:
            return ""
        del self.refs[span]
        self.offer()
        return self._name(span)

    def needs(self, ref: str) -> bool:
        """Return whether what the execution made under this reference is still needed."""
        return False

    # What is ready.

    def offer(self) -> None:
        """Offer all that is ready, and nothing else."""
        ready = {span for root in self._roots() for span in self._missing(root)}
        self._withdraw(self._offered - ready)
        self._offer(ready)

    def withdraw(self) -> None:
        """Take all offers back."""
        self._withdraw(set(self._offered))

    def _roots(self) -> list[Span]:
        if self.count is None:
            return mountains(max(self.leaves, default=-1) + 1)
        return [Span(0, self.count)] if self.count else []

    def _missing(self, span: Span) -> Iterator[Span]:
        """Return what is ready of all that has to be done for the output of a span."""
        if span in self.refs or span in self._flying:
            return
        if _size(span) == 1:
            yield from [span] if span.start in self.leaves else []
        elif self._whole(span):
            yield span
        else:
            for half in self.shape.halves(span):
                yield from self._missing(half)

    def _whole(self, span: Span) -> bool:
        return all(half in self.refs for half in self.shape.halves(span))

    def _assumed(self, span: Span) -> str:
        root = self.leaf_root if _size(span) == 1 else RECURSION_ROOT
        return assumption(self.claim(span), root)

    def _offer(self, ready: Iterator[Span] | set[Span]) -> None:
        for span in ready:
            self._offered.add(span)
            self._offer_one(span)

    def _offer_one(self, span: Span) -> None:
        self._offers.offer(self._name(span), Rank.UNION, span.start)

    def _withdraw(self, gone: set[Span]) -> None:
        self._offered -= gone
        for span in gone:
            self._offers.withdraw(self._name(span))

    def _name(self, span: Span) -> str:
        return step_name("keccak" if _size(span) == 1 else "union", span)


def _size(span: Span) -> int:
    return span.end - span.start


def _within(part: Span, span: Span) -> bool:
    return span.start <= part.start and part.end <= span.end
