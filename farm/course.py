"""How far one session is: what is recorded, bound and under way, and what is ready next.

Pure. It offers its ready steps to the pools of the scheduler, which takes them from there.
"""

from farm.chain import Chain
from farm.claim import RECURSION_ROOT
from farm.errors import FarmError
from farm.execution import arguments
from farm.keccaks import Keccaks
from farm.members import Members
from farm.offers import Offers, Rank
from farm.pool import Pool
from farm.relied import Given
from farm.session import Gathered, JobFacts, Relied, SessionFacts, Span, span_of
from farm.set_builder import Member
from farm.set_unions import SetUnions
from farm.tree import Tree
from farm.wire import Assumed, ExecutedRecord, KeccakRecord, SegmentRecord

Branch = Tree | Keccaks | SetUnions | Chain


class Course:
    """One session under way."""

    def __init__(self, facts: SessionFacts, proving: Pool, executing: Pool) -> None:
        self.name, self.spec = facts.name, facts.spec
        self.waiters: dict[str, JobFacts] = {}
        self.executed: ExecutedRecord | None = None
        self.given = Given(facts.spec.assumptions)
        #: Who is in the set, if that is what is made, and what its guest is fed.
        self.members = Members(facts.spec.members)
        self.gathered: Gathered | None = None
        self.gathering = False
        #: Of one that does the work of others: where the output of each is.
        self.outputs: list[str] = []
        self.dividing = False
        #: Steps under way.
        self.flying: set[str] = set()
        #: Steps whose output is being verified, and the slot it came from.
        self.verifying: dict[str, str] = {}
        self.finalizing = False
        #: Number of the last attempt, and of those that came to nothing.
        self.attempts: dict[str, int] = {}
        self.tries: dict[str, int] = {}
        #: Which slot made an output, by its reference; of those made under this scheduler.
        self.made: dict[str, str] = {}
        #: The first attempt at the execution whose segments count.
        self.execution = 1
        self._offers = Offers(self.name, self.spec.namespace, proving, executing)
        self._plan(facts.nodes)
        self.merge(facts)

    def _plan(self, nodes: dict[str, str]) -> None:
        """Begin with these outputs and nothing else."""
        refs: dict[str, dict[Span, str]] = {}
        for step, ref in nodes.items():
            refs.setdefault(_BRANCH[step.partition(":")[0]], {})[span_of(step)] = ref
        joined = self.spec.receipt != "composite"
        self.tree = Tree(self._offers, refs.get("tree", {}), joined=joined)
        united = refs.get("unions", {})
        self.unions: Keccaks | SetUnions
        if self.spec.members:
            self.unions = SetUnions(self._offers, united, self.members, proved=self.spec.proved)
        else:
            self.unions = Keccaks(self._offers, united)
        known, base = refs.get("chain", {}), self._base if joined else lambda: ""
        wrapped = self.spec.receipt == "groth16"
        self.chain = Chain(self._offers, known, base, self._proof, wrapped=wrapped)

    def merge(self, facts: SessionFacts) -> None:
        """Take over waiters and what was executed from the ledger."""
        self.waiters = {job.id: job for job in facts.waiters}
        self.given.note(facts.relied)
        self.gathered = self.gathered or facts.gathered
        self.unions.note(facts.relied)
        for index, record in sorted(facts.segments.items()):
            if self.segments.get(index) != record:
                self.add_segment(index, record)
        for index, request in sorted(facts.keccaks.items()):
            if self.unions.leaves.get(index) != request:
                self.add_keccak(index, request)
        self.offer()

    # What happens to it.

    def add_segment(self, index: int, record: SegmentRecord) -> None:
        """Note a segment of the execution."""
        if self.spec.proved:
            self.tree.add(index, record)
        else:
            self.tree.segments[index] = record

    def add_keccak(self, index: int, record: KeccakRecord) -> None:
        """Note what the guest wants hashed by the keccak circuit."""
        if self.spec.proved and isinstance(self.unions, Keccaks):
            self.unions.add(index, record)
            self.chain.offer()

    def end(self, record: ExecutedRecord) -> None:
        """Note that the guest has ended well."""
        self.executed = record
        self._offers.withdraw("execute")
        if self.spec.proved:
            self.tree.end(record.segments)
            if isinstance(self.unions, Keccaks):
                self.unions.end(record.keccaks)
            self.chain.end(record)

    def rely(self, found: dict[str, Relied]) -> None:
        """Note how jobs are that this one relies on."""
        self.given.note(found)
        self.unions.note(found)
        self._offer_execute()

    def judge(self, ref: str, shown: tuple[Member, str] | FarmError) -> None:
        """Note what the receipt of a member is, or why it is none."""
        self.members.judge(ref, shown)
        self.unions.offer()

    def take(self, step: str) -> bool:
        """Note that a step is under way; False if what it works on is not there."""
        if step == "execute":
            self._offers.withdraw(step)
        elif not self._branch(step).take(span_of(step)):
            return False
        self.flying.add(step)
        return True

    def drop(self, step: str) -> None:
        """Note that a step came to nothing; it is ready again."""
        self.flying.discard(step)
        self.verifying.pop(step, None)
        if step == "execute":
            self._offer_execute()
        else:
            self._branch(step).drop(span_of(step))
            self.chain.offer()

    def bound(self, step: str, ref: str) -> None:
        """Note the output of a step."""
        self.flying.discard(step)
        if slot := self.verifying.pop(step, ""):
            self.made[ref] = slot
        self._branch(step).bound(span_of(step), ref)
        self.chain.offer()

    def unbind(self, ref: str) -> str:
        """Forget the output with this reference; return its step, "" for none such."""
        step = self.tree.unbind(ref) or self.unions.unbind(ref) or self.chain.unbind(ref)
        self.chain.offer()
        return step

    def needs(self, ref: str) -> bool:
        """Return whether what the execution made under this reference is still needed."""
        journal = self.executed.journal if self.executed else ""
        return ref == journal or self.tree.needs(ref) or self.unions.needs(ref)

    def discard(self) -> list[str]:
        """Forget all that came of the execution; return the steps that were under way for it.

        The segments of two executions that did not do the same never fit together.
        """
        lost = sorted(self.flying - {"execute"})
        self.withdraw()
        self.flying -= {*lost}
        self.verifying = {}
        self.executed, self.finalizing = None, False
        self.execution = self.attempts.get("execute", 0) + 1
        self._plan({})
        self._offer_execute()
        return lost

    # What it says of itself.

    @property
    def segments(self) -> dict[int, SegmentRecord]:
        """The segments that are known."""
        return self.tree.segments

    @property
    def input(self) -> str:
        """The reference of what the guest reads, "" while it is not known."""
        return self.gathered.input if self.gathered else self.spec.input

    @property
    def executing(self) -> bool:
        """Whether more segments may come."""
        return self.executed is None

    @property
    def brings_more(self) -> bool:
        """Whether more segments may come at once: the guest runs, or can be run."""
        waits = self.given.awaited or (self.spec.members and not self.gathered)
        return self.executing and not (waits or self.spec.batch)

    @property
    def roots(self) -> list[str]:
        """The references of the receipts that the last one is made of; empty until all are there.

        One that holds for everything; of a composite, those of the segments and assumptions.
        """
        if self.spec.receipt != "composite":
            return [self.chain.root] if self.chain.root else []
        assumed = [self._proof(assumption) for assumption in self.chain.assumptions]
        return [*self.tree.roots, *assumed] if self.tree.roots and all(assumed) else []

    @property
    def unproven(self) -> str:
        """The first claim that the guest relies on and nothing proves, "" for none."""
        if not self.unions.whole:
            return ""  # more of them are in the ledger
        found = self.chain.assumptions
        return next((one.claim for one in found if not (one.ref or self._own(one))), "")

    @property
    def job(self) -> str:
        """The oldest job that waits, "" for none."""
        return min(self.waiters.values(), key=lambda job: job.seq).id if self.waiters else ""

    def inputs(self, step: str) -> list[str]:
        """Return the references of what a step works on."""
        if step == "execute":
            return [self.spec.program, self.input, *self.given.receipts]
        return self._branch(step).inputs(span_of(step))

    def arguments(self, step: str) -> dict[str, object]:
        """Return what a task is told of a step: what comes out, how the guest is to be run."""
        if step == "execute":
            top = {"claim": self.unions.top, "control_root": RECURSION_ROOT}
            return arguments(self.spec) | ({"assumed": [top]} if self.spec.members else {})
        lift = {"lift": False} if self.form(step) == "segment" else {}
        return {"claim": self.claim(step), **lift}

    def knows(self, step: str) -> bool:
        """Return whether it is known what the output of a step has to prove."""
        return _BRANCH[step.partition(":")[0]] != "unions" or self.unions.knows(span_of(step))

    def claim(self, step: str) -> str:
        """Return the digest of what the output of a step has to prove."""
        return self._branch(step).claim(span_of(step))

    def form(self, step: str) -> str:
        """Return what kind of receipt a step puts out, in the words of the host's `verify`."""
        if self.spec.receipt == "composite" and step.startswith("prove:"):
            return "segment"
        return _FORM.get(step.partition(":")[0], "succinct")

    def cost(self, step: str) -> int:
        """Return the work in a step, in cycles of proving."""
        return self._branch(step).cost(span_of(step))

    # What is ready.

    def offer(self) -> None:
        """Offer all that is ready to the pools."""
        waiting = self.waiters.values()
        self._offers.priority = max((job.priority for job in waiting), default=0)
        self._offers.seq = min((job.seq for job in waiting), default=0)
        self._offer_execute()
        if self.spec.proved:
            for branch in (self.tree, self.unions, self.chain):
                branch.offer()

    def withdraw(self) -> None:
        """Take all offers back: the session has ended."""
        self._offers.withdraw("execute")
        for branch in (self.tree, self.unions, self.chain):
            branch.withdraw()

    def _offer_execute(self) -> None:
        if self.brings_more and "execute" not in self.flying:
            self._offers.offer("execute", Rank.EXECUTE)

    def _branch(self, step: str) -> Branch:
        branch: Branch = getattr(self, _BRANCH[step.partition(":")[0]])
        return branch

    def _base(self) -> str:
        """Return the receipt of all segments, as long as nothing of it is resolved."""
        return next(iter(self.tree.roots), "")

    def _proof(self, assumption: Assumed) -> str:
        """Return the receipt that discharges an assumption, "" while there is none."""
        return assumption.ref or (self.unions.root if self._own(assumption) else "")

    def _own(self, assumption: Assumed) -> bool:
        return self.unions.proves(assumption.claim, assumption.control_root)


#: Which part of a course looks after a kind of step.
_BRANCH = {"prove": "tree", "join": "tree", "keccak": "unions", "union": "unions"}
_BRANCH |= {"resolve": "chain", "wrap": "chain"}
#: What it puts out, if that is no succinct receipt of the common kind.
_FORM = {"keccak": "keccak", "wrap": "groth16"}
