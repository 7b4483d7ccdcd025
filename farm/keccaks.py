"""What a guest wants hashed by the keccak circuit: its requests, their proofs, then the unions.

Pure.
"""

from farm.claim import KECCAK_ROOT
from farm.offers import RECURSION, Rank
from farm.session import Span
from farm.shapes import KECCAKS
from farm.unions import Unions
from farm.wire import KeccakRecord

#: What a row of a keccak proof costs, in cycles of proving: of the simulated GPUs of RISC Zero's
#: own tests (an RTX 5090 at 2^17 rows and at a segment of 2^21).
ROW = 4
#: A keccak proof of 2^n rows needs about the memory of a segment of 2^(n + ROOM) cycles there.
ROOM = 4


class Keccaks(Unions[KeccakRecord]):
    """Keccak requests of one execution."""

    shape, leaf_root = KECCAKS, KECCAK_ROOT

    def add(self, index: int, record: KeccakRecord) -> None:
        """Note a request of the guest."""
        self.leaves[index] = record
        self._offer(self._missing(Span(index, index + 1)))

    def needs(self, ref: str) -> bool:
        """Return whether a request with this reference has still to be proved."""
        ready = (span for root in self._roots() for span in self._missing(root))
        leaves = (span.start for span in ready if span.end - span.start == 1)
        return any(self.leaves[index].ref == ref for index in leaves)

    def inputs(self, span: Span) -> list[str]:
        """Return the references of what a step works on."""
        if span.end - span.start == 1:
            return [self.leaves[span.start].ref]
        return super().inputs(span)

    def cost(self, span: Span) -> int:
        """Return the work in a step, in cycles of proving."""
        rows = ROW << self.leaves[span.start].po2 if span.end - span.start == 1 else 0
        return RECURSION + rows

    def leaf_claim(self, index: int) -> str:
        """Return what the proof of a request has to claim."""
        return self.leaves[index].digest

    def _offer_one(self, span: Span) -> None:
        if span.end - span.start > 1:
            super()._offer_one(span)
            return
        request = self.leaves[span.start]
        length = int(request.ref.rpartition("-")[2])
        self._offers.offer(self._name(span), Rank.PROVE, span.start, length, request.po2 + ROOM)
