"""What follows the root of a session: a resolve for each assumption, then the wrap if one is asked.

Pure. These are a chain: a resolve takes the receipt so far, and the receipt of the assumption
that is first in it. Link number `n` of the chain has the span [n, n + 1).
"""

from collections.abc import Callable

from farm.offers import RECURSION, Offers, Rank
from farm.session import Span, step_name
from farm.wire import Assumed, ExecutedRecord


class Chain:
    """The chain of one execution; `refs` are the outputs that are bound already.

    `base` tells the receipt to begin with, `proof` that of an assumption; "" while there is none.
    """

    def __init__(
        self,
        offers: Offers,
        refs: dict[Span, str],
        base: Callable[[], str],
        proof: Callable[[Assumed], str],
        *,
        wrapped: bool,
    ) -> None:
        self.assumptions: list[Assumed] = []
        self.refs = refs
        #: What the last receipt has to prove.
        self._claim = ""
        self._wrapped = wrapped
        self._offers, self._base, self._proof = offers, base, proof
        self._flying: set[Span] = set()
        self._offered = ""

    @property
    def root(self) -> str:
        """The reference of the receipt at the end, "" while there is none."""
        return self.refs.get(_one(len(self) - 1), "") if len(self) else self._base()

    def __len__(self) -> int:
        return len(self.assumptions) + self._wrapped

    def end(self, record: ExecutedRecord) -> None:
        """Note what the guest has relied on."""
        self.assumptions, self._claim = record.assumptions, record.claim.digest()
        self.offer()

    def take(self, span: Span) -> bool:
        """Note that a step is under way; False if what it needs is not there."""
        if not all(self.inputs(span)):
            return False
        self._flying.add(span)
        self.withdraw()
        return True

    def drop(self, span: Span) -> None:
        """Note that a step came to nothing; it is ready again, or what it needs."""
        self._flying.discard(span)
        self.offer()

    def bound(self, span: Span, ref: str) -> None:
        """Note the output of a step."""
        self._flying.discard(span)
        self.refs[span] = ref
        self.offer()

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        span = next((span for span, known in self.refs.items() if known == ref), None)
        if span is None:
            return ""
        del self.refs[span]
        self.offer()
        return self._name(span)

    def inputs(self, span: Span) -> list[str]:
        """Return the references of what a step works on, "" for what is not there."""
        before = self.refs.get(_one(span.start - 1), "") if span.start else self._base()
        discharged = self.assumptions[span.start : span.end]
        return [before, *map(self._proof, discharged)] if span.end <= len(self) else [""]

    def claim(self, span: Span) -> str:
        """Return the digest of what the output of a step has to prove."""
        discharged = self.assumptions[span.start : span.end]
        return discharged[0].digest if discharged else self._claim

    def cost(self, span: Span) -> int:
        """Return the work in a step, in cycles of proving."""
        return RECURSION

    def offer(self) -> None:
        """Offer the step that is ready, if one is."""
        span = _one(max((done.start for done in self.refs), default=-1) + 1)
        ready = not self._flying and all(self.inputs(span))
        step = self._name(span) if ready else ""
        if step != self._offered:
            self.withdraw()
        if step:
            self._offered = step
            last = span.start == len(self.assumptions)
            self._offers.offer(step, Rank.WRAP if last else Rank.RESOLVE, span.start)

    def withdraw(self) -> None:
        """Take the offer back, if there is one."""
        if self._offered:
            self._offers.withdraw(self._offered)
            self._offered = ""

    def _name(self, span: Span) -> str:
        return step_name("wrap" if span.start == len(self.assumptions) else "resolve", span)


def _one(index: int) -> Span:
    return Span(index, index + 1)
