"""What a guest wants hashed by the keccak circuit: its proofs, and their unions to one receipt.

Pure. The guest relies on the root of the tree that farm/plan.py describes, so the claim of every
union is known before it is proved.
"""

from collections.abc import Iterator

from farm.claim import KECCAK_ROOT, RECURSION_ROOT, assumption, union
from farm.offers import RECURSION, Offers, Rank
from farm.plan import above, halves, mountains
from farm.session import Span, step_name
from farm.wire import KeccakRecord

#: What a row of a keccak proof costs, in cycles of proving: of the simulated GPUs of RISC Zero's
#: own tests (an RTX 5090 at 2^17 rows and at a segment of 2^21).
ROW = 4
#: A keccak proof of 2^n rows needs about the memory of a segment of 2^(n + ROOM) cycles there.
ROOM = 4


class Unions:
    """Keccak requests of one execution; `refs` are the outputs bound already."""

    def __init__(self, offers: Offers, refs: dict[Span, str]) -> None:
        self.requests: dict[int, KeccakRecord] = {}
        self.refs = refs
        #: How many requests there are, None while the guest runs.
        self.count: int | None = None
        self._offers = offers
        self._flying: set[Span] = set()
        self._offered: set[Span] = set()
        self._claims: dict[Span, str] = {}

    @property
    def proved(self) -> int:
        """How many requests are proved."""
        return sum(_size(span) == 1 for span in self.refs)

    @property
    def root(self) -> str:
        """The reference of the receipt of all requests, "" while there is none."""
        return self.refs.get(Span(0, self.count), "") if self.count else ""

    def proves(self, claim: str, control_root: str) -> bool:
        """Return whether the root proves what the guest relies on."""
        if not self.count or len(self.requests) < self.count:
            return False
        return assumption(claim, control_root) == self._assumed(Span(0, self.count))

    def add(self, index: int, record: KeccakRecord) -> None:
        """Note a request of the guest."""
        self.requests[index] = record
        self._offer(self._missing(Span(index, index + 1)))

    def end(self, count: int) -> None:
        """Note that the guest has ended, with so many requests."""
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
        upper = above(span, self.count)
        if upper and self._whole(upper):
            self._offer(self._missing(upper))

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        span = next((span for span, known in self.refs.items() if known == ref), None)
        if span is None:
            return ""
        del self.refs[span]
        self.offer()
        return _name(span)

    def needs(self, ref: str) -> bool:
        """Return whether a request with this reference has still to be proved."""
        ready = (span for root in self._roots() for span in self._missing(root))
        return any(_size(one) == 1 and self.requests[one.start].ref == ref for one in ready)

    def inputs(self, span: Span) -> list[str]:
        """Return the references of what a step works on."""
        if _size(span) == 1:
            return [self.requests[span.start].ref]
        return [self.refs[half] for half in halves(span)]

    def claim(self, span: Span) -> str:
        """Return the digest of what the output of a step has to prove."""
        if _size(span) == 1:
            return self.requests[span.start].digest
        if span not in self._claims:
            self._claims[span] = union(*map(self._assumed, halves(span)))
        return self._claims[span]

    def cost(self, span: Span) -> int:
        """Return the work in a step, in cycles of proving."""
        rows = ROW << self.requests[span.start].po2 if _size(span) == 1 else 0
        return RECURSION + rows

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
            return mountains(max(self.requests, default=-1) + 1)
        return [Span(0, self.count)] if self.count else []

    def _missing(self, span: Span) -> Iterator[Span]:
        """Return what is ready of all that has to be done for the output of a span."""
        if span in self.refs or span in self._flying:
            return
        if _size(span) == 1:
            yield from [span] if span.start in self.requests else []
        elif self._whole(span):
            yield span
        else:
            for half in halves(span):
                yield from self._missing(half)

    def _whole(self, span: Span) -> bool:
        return all(half in self.refs for half in halves(span))

    def _assumed(self, span: Span) -> str:
        root = KECCAK_ROOT if _size(span) == 1 else RECURSION_ROOT
        return assumption(self.claim(span), root)

    def _offer(self, ready: Iterator[Span] | set[Span]) -> None:
        for span in ready:
            self._offered.add(span)
            if _size(span) > 1:
                self._offers.offer(_name(span), Rank.UNION, span.start)
                continue
            request = self.requests[span.start]
            length = int(request.ref.rpartition("-")[2])
            self._offers.offer(_name(span), Rank.PROVE, span.start, length, request.po2 + ROOM)

    def _withdraw(self, gone: set[Span]) -> None:
        self._offered -= gone
        for span in gone:
            self._offers.withdraw(_name(span))


def _name(span: Span) -> str:
    return step_name("keccak" if _size(span) == 1 else "union", span)


def _size(span: Span) -> int:
    return span.end - span.start


def _within(part: Span, span: Span) -> bool:
    return span.start <= part.start and part.end <= span.end
