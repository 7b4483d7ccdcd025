"""How far one session is: what is recorded, bound and under way, and what is ready next.

Pure. It offers its ready steps to the pools of the scheduler, which takes them from there.
"""

from enum import IntEnum
from itertools import chain

from farm.claim import Claim
from farm.job import State
from farm.placement import Pool
from farm.plan import Fold, folds, widest
from farm.session import JobFacts, SessionFacts, Span, parse_step, step_name
from farm.wire import ExecutedRecord, SegmentRecord

#: What a lift or a join costs, in cycles of proving (measured on CPU).
RECURSION = 1 << 17


class Rank(IntEnum):
    """Which kind goes first among equals; executions have slots of their own."""

    JOIN = 0
    PROVE = 1
    #: A join that the plan could do without, for a slot that would idle.
    LOOSE_JOIN = 2
    EXECUTE = 3


class Course:
    """One session under way."""

    def __init__(self, facts: SessionFacts, proving: Pool, executing: Pool) -> None:
        self.name, self.spec = facts.name, facts.spec
        self.waiters: dict[str, JobFacts] = {}
        self.segments: dict[int, SegmentRecord] = {}
        self.executed: ExecutedRecord | None = None
        #: References of bound outputs.
        self.refs = {_span(step): ref for step, ref in facts.nodes.items()}
        #: Steps under way, and what each of them joins.
        self.flying: dict[str, tuple[Span, ...]] = {}
        #: Steps whose output is being verified, and the slot it came from.
        self.verifying: dict[str, str] = {}
        self.finalizing = False
        #: Number of the last attempt, and of those that came to nothing.
        self.attempts: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        self._free = set(widest(self.refs))
        self._folds: dict[str, Fold] = {}
        #: The first attempt at the execution whose segments count.
        self.execution = 1
        self._proving, self._executing = proving, executing
        self.merge(facts)

    def merge(self, facts: SessionFacts) -> None:
        """Take over waiters and segments from the ledger."""
        self.waiters = {job.id: job for job in facts.waiters}
        for index, record in sorted(facts.segments.items()):
            if self.segments.get(index) != record:
                self.add_segment(index, record)
        self.offer()

    # What happens to it.

    def add_segment(self, index: int, record: SegmentRecord) -> None:
        """Note a segment of the execution."""
        self.segments[index] = record
        self._offer_prove(index)

    def end(self, record: ExecutedRecord) -> None:
        """Note that the guest has ended well."""
        self.executed = record
        self._executing.withdraw((self.name, "execute"))
        self._offer_folds()

    def take(self, step: str) -> bool:
        """Note that a step is under way; False if what it joins is not there to be joined."""
        span = None if step == "execute" else _span(step)
        parts: tuple[Span, ...] = ()
        if step.startswith("join:") and span:
            parts = tuple(sorted(part for part in self._free if _within(part, span)))
            if len(parts) != 2 or (parts[0].start, parts[1].end) != span:
                return False
        self.flying[step] = parts
        self._free.difference_update(parts)
        self._withdraw(step)
        if parts:
            self._offer_folds()
        return True

    def drop(self, step: str) -> None:
        """Note that a step came to nothing; it is ready again."""
        parts = self.flying.pop(step, ())
        self.verifying.pop(step, None)
        self._free.update(part for part in parts if part in self.refs)
        if step == "execute":
            self._offer_execute()
        elif step.startswith("prove:"):
            self._offer_prove(_span(step).start)
        self._offer_folds()

    def bound(self, step: str, ref: str) -> None:
        """Note the output of a step."""
        span = _span(step)
        self.flying.pop(step, None)
        self.verifying.pop(step, None)
        self.refs[span] = ref
        self._free.add(span)
        self._offer_folds()

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        span = next((span for span, known in self.refs.items() if known == ref), None)
        if span is None:
            return ""
        del self.refs[span]
        joined = {part for parts in self.flying.values() for part in parts}
        self._free = set(widest(self.refs)) - joined
        return step_name("prove" if span.end - span.start == 1 else "join", span)

    def needs(self, ref: str) -> bool:
        """Return whether a segment with this reference has still to be proved."""
        found = self.segments.items()
        return any(record.ref == ref and not self._covered(index) for index, record in found)

    def discard(self) -> list[str]:
        """Forget all that came of the execution; return the steps that were under way for it.

        A guest draws entropy as it starts, so segments of two executions never fit together.
        """
        lost = [step for step in self.flying if step != "execute"]
        self.withdraw()
        for step in lost:
            del self.flying[step]
        self.segments, self.refs, self.verifying = {}, {}, {}
        self._folds, self._free = {}, set()
        self.executed, self.finalizing = None, False
        self.execution = self.attempts.get("execute", 0) + 1
        self._offer_execute()
        return lost

    # What it says of itself.

    @property
    def count(self) -> int | None:
        """How many segments there are, None while the guest runs."""
        return self.executed.segments if self.executed else None

    @property
    def executing(self) -> bool:
        """Whether more segments may come."""
        return self.executed is None

    @property
    def root(self) -> str:
        """The reference of the receipt that covers all, "" while there is none."""
        return self.refs.get(Span(0, self.count), "") if self.count else ""

    @property
    def job(self) -> str:
        """The oldest job that waits, "" for none."""
        return min(self.waiters.values(), key=lambda job: job.seq).id if self.waiters else ""

    def inputs(self, step: str) -> list[str]:
        """Return the references of what a step works on."""
        if step == "execute":
            return [self.spec.program, self.spec.input]
        if step.startswith("join:"):
            return [self.refs[part] for part in self.flying[step]]
        return [self.segments[_span(step).start].ref]

    def claim(self, step: str) -> Claim:
        """Return what the output of a step has to prove."""
        span = _span(step)
        first, last = (self.segments[index].claim for index in (span.start, span.end - 1))
        return first if span.end - span.start == 1 else first.join(last)

    def cost(self, step: str) -> int:
        """Return the work in a step, in cycles of proving."""
        if step.startswith("join:"):
            return RECURSION
        return RECURSION + (1 << self.segments[_span(step).start].po2)

    def progress(self) -> dict[str, str | int]:
        """Return the entry that tells waiters how far this is."""
        proved = sum(span.end - span.start == 1 for span in self.refs)
        entry: dict[str, str | int] = {"segments": len(self.segments), "proved": proved}
        entry["segments_known"] = int(not self.executing)
        entry["folds"] = len(self.refs) - proved
        return entry | {"state": State.RUNNING, "text": self._text(proved)}

    def _text(self, proved: int) -> str:
        if self.root:
            return "checking the receipt"
        if self.executing and not self.segments:
            return "executing"
        if self.count == proved:
            return f"joining {self.count} segments"
        return f"proving {len(self.segments)} segments"

    # What is ready.

    def offer(self) -> None:
        """Offer all that is ready to the pools."""
        self._offer_execute()
        for index in self.segments:
            self._offer_prove(index)
        self._offer_folds()

    def withdraw(self) -> None:
        """Take all offers back: the session has ended."""
        self._executing.withdraw((self.name, "execute"))
        for step in [_prove(index) for index in self.segments]:
            self._withdraw(step)
        for step in self._folds:
            self._withdraw(step)

    def _offer_execute(self) -> None:
        if self.executing and "execute" not in self.flying:
            order = (-self._priority, Rank.EXECUTE, self._seq, 0)
            self._executing.offer((self.name, "execute"), order)

    def _offer_prove(self, index: int) -> None:
        step = _prove(index)
        if step not in self.flying and not self._covered(index):
            order = (-self._priority, Rank.PROVE, self._seq, index)
            length = int(self.segments[index].ref.rpartition("-")[2])
            self._proving.offer((self.name, step), order, length)

    def _offer_folds(self) -> None:
        found = {fold.name: fold for fold in folds(self._free, self.count)}
        for step in self._folds.keys() - found.keys():
            self._withdraw(step)
        for step, fold in found.items():
            rank = Rank.JOIN if fold.due else Rank.LOOSE_JOIN
            order = (-self._priority, rank, self._seq, fold.left.start)
            self._proving.offer((self.name, step), order)
        self._folds = found

    def _withdraw(self, step: str) -> None:
        pool = self._executing if step == "execute" else self._proving
        pool.withdraw((self.name, step))

    def _covered(self, index: int) -> bool:
        if Span(index, index + 1) in self.refs:
            return True
        bound = chain(self._free, *self.flying.values())
        return any(span.start <= index < span.end for span in bound)

    @property
    def _priority(self) -> int:
        return max((job.priority for job in self.waiters.values()), default=0)

    @property
    def _seq(self) -> int:
        return min((job.seq for job in self.waiters.values()), default=0)


def _span(step: str) -> Span:
    span = parse_step(step)[1]
    assert span is not None
    return span


def _prove(index: int) -> str:
    return step_name("prove", Span(index, index + 1))


def _within(part: Span, span: Span) -> bool:
    return span.start <= part.start and part.end <= span.end
