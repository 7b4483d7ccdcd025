"""The segments of one session, their proofs and the joins of these: what is ready, what is bound.

Pure. Each segment is held by one span at most: a bound one that is free to be joined, or one
that is being joined. What no span holds has to be proved.
"""

from collections.abc import Iterable
from functools import lru_cache

from farm.claim import Claim
from farm.offers import RECURSION, Offers, Rank
from farm.plan import Fold, folds, widest
from farm.session import Span, step_name
from farm.wire import SegmentRecord


class Tree:
    """Segments, proofs and joins of one execution; `refs` are the outputs bound already.

    Not `joined`, it ends with a proof of each segment.
    """

    def __init__(self, offers: Offers, refs: dict[Span, str], *, joined: bool = True) -> None:
        self.segments: dict[int, SegmentRecord] = {}
        self.refs = refs
        #: How many segments there are, None while the guest runs.
        self.count: int | None = None
        self._offers, self._joined = offers, joined
        #: Proofs and joins under way, and what each joins.
        self._flying: dict[Span, tuple[Span, ...]] = {}
        #: The span that holds each segment; the free ones by where they start and end.
        self._holds: dict[int, Span] = {}
        self._starts: dict[int, Span] = {}
        self._ends: dict[int, Span] = {}
        #: The join on offer that each free span is part of.
        self._folds: dict[Span, Fold] = {}
        self._settle()

    @property
    def proved(self) -> int:
        """How many segments are proved."""
        return self._proved

    @property
    def joins(self) -> int:
        """How many joins are done."""
        return len(self.refs) - self._proved

    @property
    def roots(self) -> list[str]:
        """The references of the receipts that cover all: of one, or of each segment.

        Empty while there are none.
        """
        if not self.count or not (self._joined or self._proved == self.count):
            return []
        wanted = [Span(0, self.count)] if self._joined else map(_one, range(self.count))
        found = [self.refs.get(span, "") for span in wanted]
        return found if all(found) else []

    def add(self, index: int, record: SegmentRecord) -> None:
        """Note a segment of the execution."""
        self.segments[index] = record
        self._offer_prove(index)

    def end(self, count: int) -> None:
        """Note that the guest has ended, with so many segments."""
        self.count = count
        self._offer_folds()

    def take(self, span: Span) -> bool:
        """Note that a step is under way; False if what it joins is not there to be joined."""
        parts: tuple[Span, ...] = ()
        if span.end - span.start > 1:
            left = self._starts.get(span.start)
            right = self._starts.get(left.end) if left else None
            if not left or not right or right.end != span.end:
                return False
            parts = left, right
        self._flying[span] = parts
        self._offers.withdraw(_name(span))
        for part in parts:
            self._remove(part)
        if parts:
            self._refold([self._ends.get(span.start), self._starts.get(span.end)])
        return True

    def drop(self, span: Span) -> None:
        """Note that a step came to nothing; it is ready again."""
        parts = self._flying.pop(span, ())
        if any(part not in self.refs for part in parts):
            self._settle()
            self.offer()
            return
        for part in parts:
            self._free(part)
        self._refold(parts)
        if not parts:
            self._offer_prove(span.start)

    def bound(self, span: Span, ref: str) -> None:
        """Note the output of a step."""
        self._flying.pop(span, None)
        if span not in self.refs:
            self._proved += span.end - span.start == 1
        self.refs[span] = ref
        # Made again while a wider one was under way, it is not needed any more.
        if all(_within(self._holds.get(index, span), span) for index in range(*span)):
            for part in {self._holds[index] for index in range(*span) if index in self._holds}:
                self._remove(part)
            self._free(span)
            self._refold([span])

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        span = next((span for span, known in self.refs.items() if known == ref), None)
        if span is None:
            return ""
        del self.refs[span]
        self._settle()
        self.offer()
        return _name(span)

    def needs(self, ref: str) -> bool:
        """Return whether a segment with this reference has still to be proved."""
        found = self.segments.items()
        return any(record.ref == ref and index not in self._holds for index, record in found)

    def inputs(self, span: Span) -> list[str]:
        """Return the references of what a step under way works on."""
        if parts := self._flying[span]:
            return [self.refs[part] for part in parts]
        return [self.segments[span.start].ref]

    def claim(self, span: Span) -> str:
        """Return the digest of what the output of a step has to prove."""
        return _claim(self.segments[span.start].claim, self.segments[span.end - 1].claim)

    def cost(self, span: Span) -> int:
        """Return the work in a step, in cycles of proving."""
        if span.end - span.start > 1:
            return RECURSION
        return RECURSION * self._joined + (1 << self.segments[span.start].po2)

    def offer(self) -> None:
        """Offer all that is ready."""
        for index in self.segments:
            self._offer_prove(index)
        self._offer_folds()

    def withdraw(self) -> None:
        """Take all offers back."""
        for index in self.segments:
            self._offers.withdraw(_name(_one(index)))
        self._withdraw(set(self._folds.values()))

    def _settle(self) -> None:
        """Work out which spans hold the segments."""
        self._holds, self._starts, self._ends = {}, {}, {}
        self._withdraw(set(self._folds.values()))
        self._proved = sum(span.end - span.start == 1 for span in self.refs)
        for parts in self._flying.values():
            for part in parts:
                self._holds.update(dict.fromkeys(range(*part), part))
        for span in widest(self.refs):
            if not any(index in self._holds for index in range(*span)):
                self._free(span)

    def _free(self, span: Span) -> None:
        for index in range(*span):
            if index not in self._holds:
                self._offers.withdraw(_name(_one(index)))
            self._holds[index] = span
        self._starts[span.start] = self._ends[span.end] = span

    def _remove(self, span: Span) -> None:
        if self._starts.get(span.start) == span:
            del self._starts[span.start], self._ends[span.end]
        self._withdraw({fold for fold in [self._folds.get(span)] if fold})

    def _offer_prove(self, index: int) -> None:
        span = _one(index)
        if span not in self._flying and index not in self._holds:
            segment = self.segments[index]
            length = int(segment.ref.rpartition("-")[2])
            self._offers.offer(_name(span), Rank.PROVE, index, length, segment.po2)

    def _offer_folds(self) -> None:
        self._refold(list(self._starts.values()))

    def _refold(self, around: Iterable[Span | None]) -> None:
        """Offer the joins of the neighbours of these spans, and no others."""
        seen: set[Span] = set()
        for span in around:
            if span and span not in seen and self._joined:
                run = self._run(span)
                seen.update(run)
                self._choose(run)

    def _choose(self, run: list[Span]) -> None:
        chosen = folds(run, self.count)
        self._withdraw({self._folds[span] for span in run if span in self._folds} - {*chosen})
        for fold in chosen:
            self._folds[fold.left] = self._folds[fold.right] = fold
            rank = Rank.JOIN if fold.due else Rank.LOOSE_JOIN
            self._offers.offer(fold.name, rank, fold.left.start)

    def _run(self, span: Span) -> list[Span]:
        """Return the free spans that follow one another, this one among them."""
        while left := self._ends.get(span.start):
            span = left
        run = [span]
        while right := self._starts.get(run[-1].end):
            run.append(right)
        return run

    def _withdraw(self, gone: set[Fold]) -> None:
        for fold in gone:
            self._offers.withdraw(fold.name)
            self._folds.pop(fold.left, None)
            self._folds.pop(fold.right, None)


@lru_cache(maxsize=1 << 12)  # asked for as a step is sent, and as it comes back
def _claim(first: Claim, last: Claim) -> str:
    return (first if first == last else first.join(last)).digest()


def _one(index: int) -> Span:
    return Span(index, index + 1)


def _name(span: Span) -> str:
    return step_name("prove" if span.end - span.start == 1 else "join", span)


def _within(part: Span, span: Span) -> bool:
    return span.start <= part.start and part.end <= span.end
