"""Model how a peer's farm takes the same jobs: a discrete-event simulation in virtual time.

The peer is Bento and its successor (boundless-xyz/boundless at 3835bc4), as its code reads:

- a worker has one GPU and is serial: claim, fetch, preflight, prove, check, lift, check, put
  (bento/crates/workflow/src/lib.rs::poll_work, tasks/prove.rs); a join checks both its inputs and
  its output (tasks/join.rs);
- the executor streams segments and the pairs to join are fixed as they come: a binary counter,
  left to right, what is left over from the right (taskdb/src/planner/mod.rs);
- who comes first is served first, by the number that a task got when it was planned (prover/:
  ready sets scored by a sequence); tenants are not told apart (migration 9 drops it);
- no task is claimed before the last one is put (no look-ahead).

What cannot be read there is taken to be as good as ours: the same cards, network, executions,
and nothing at all for its database. `Ideas` switches on, one by one, what this farm does
otherwise. It was written before the farm's own scheduler was tuned on these jobs, and is not
tuned itself.
"""

import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from simulated_jobs import PO2, Work

from farm.simulated_profile import Profile

#: A node of a job's tree: number of the job, first segment, the one after the last.
Node = tuple[int, int, int]


class Ideas(NamedTuple):
    """What this farm does and the peer does not."""

    #: Steps that a card has at once: others are fetched and put while one is at work.
    held: int = 1
    #: A segment's preflight, and the checks of receipts, are done while the card works.
    beside: bool = False
    #: Who would idle joins any two neighbours; joins go first.
    neighbours: bool = False
    #: Tenants get equal shares of the cards.
    fair: bool = False


class Outcome(NamedTuple):
    """What came of it: seconds until each job was done, and for which the cards were at work."""

    took: dict[str, float]
    makespan: float
    busy: float


@dataclass
class _Card:
    """One GPU: steps it holds, those that are ready for it, whether it works."""

    held: int = 0
    ready: list[tuple["_Step", float]] = field(default_factory=list)
    working: bool = False


class _Step(NamedTuple):
    node: Node
    tenant: str
    #: Seconds: to fetch, of the CPU, of the card, to put.
    fetch: float
    cpu: float
    device: float
    put: float


class _Tree:
    """One job: which of its nodes wait for which, and what can be joined."""

    def __init__(self, work: Work) -> None:
        self.work, self.executed = work, False
        #: Peaks of the binary counter; the other half of each planned pair; their numbers.
        self.peaks: list[tuple[int, int]] = []
        self.partner: dict[tuple[int, int], tuple[int, int]] = {}
        self.number: dict[tuple[int, int], int] = {}
        self.free: set[tuple[int, int]] = set()

    def grow(self, index: int, numbers: "itertools.count[int]") -> None:
        """Plan the next segment, and after the last one what is left over."""
        self.number[index, index + 1] = next(numbers)
        self.peaks.append((index, index + 1))
        while len(self.peaks) > 1 and _size(self.peaks[-1]) == _size(self.peaks[-2]):
            self._pair(numbers)
        if index + 1 == self.work.segments:
            self.executed = True
            while len(self.peaks) > 1:
                self._pair(numbers)

    def _pair(self, numbers: "itertools.count[int]") -> None:
        right, left = self.peaks.pop(), self.peaks.pop()
        self.partner[left], self.partner[right] = right, left
        self.number[left[0], right[1]] = next(numbers)
        self.peaks.append((left[0], right[1]))

    def planned(self, span: tuple[int, int]) -> tuple[int, int] | None:
        """Return the pair that is complete with this span, if it is."""
        other = self.partner.get(span)
        if other not in self.free:
            return None
        return min(span[0], other[0]), max(span[1], other[1])

    def loose(self) -> tuple[int, int] | None:
        """Return any two free neighbours, once the guest has ended."""
        spans = sorted(self.free) if self.executed else []
        found = ((a[0], b[1]) for a, b in itertools.pairwise(spans) if a[1] == b[0])
        return next(found, None)

    def take(self, joined: tuple[int, int]) -> None:
        """Take the two halves of a span out of what is free."""
        self.free -= {one for one in self.free if joined[0] <= one[0] and one[1] <= joined[1]}


class Model:
    """One run of a set of jobs on so many cards."""

    def __init__(self, profile: Profile, cards: int, lanes: int, ideas: Ideas) -> None:
        self._profile, self._ideas = profile, ideas
        self._cards = [_Card() for _ in range(cards)]
        self._lanes, self._waiting = lanes, list[int]()
        self._now, self._busy, self._order = 0.0, 0.0, itertools.count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._trees: list[_Tree] = []
        self._ready: dict[str, list[tuple[tuple[int, ...], Node]]] = defaultdict(list)
        self._running: dict[str, int] = defaultdict(int)
        self._took: dict[str, float] = {}

    def run(self, jobs: list[Work]) -> Outcome:
        """Return what becomes of the jobs."""
        self._trees = [_Tree(work) for work in jobs]
        for number, work in enumerate(jobs):
            self._at(work.at, lambda number=number: self._arrive(number))
        while self._events:
            self._now, _, happen = heapq.heappop(self._events)
            happen()
            self._deal()
        ends = [work.at + self._took[work.label] for work in jobs]
        return Outcome(self._took, max(ends), self._busy / (len(self._cards) * max(ends)))

    def _at(self, when: float, happen: Callable[[], None]) -> None:
        heapq.heappush(self._events, (when, next(self._order), happen))

    # Executions: as many at once as there are lanes, in order of arrival.

    def _arrive(self, job: int) -> None:
        self._waiting.append(job)
        self._execute()

    def _execute(self) -> None:
        while self._lanes and self._waiting:
            self._lanes -= 1
            self._emit(self._waiting.pop(0), 0)

    def _emit(self, job: int, index: int) -> None:
        seconds = self._profile.executing(PO2) + self._profile.transfer(self._profile.segment_bytes)
        self._at(self._now + seconds, lambda: self._emitted(job, index))

    def _emitted(self, job: int, index: int) -> None:
        tree = self._trees[job]
        tree.grow(index, self._numbers)
        self._offer((job, index, index + 1))
        if tree.executed:
            self._lanes += 1
            self._execute()
            # What was proved before its partner was planned may be complete now.
            for span in sorted(tree.free):
                self._pair(job, span)
        else:
            self._emit(job, index + 1)

    # Steps: offered when ready, dealt to cards that have room.

    def _offer(self, node: Node) -> None:
        job, start, end = node
        tree = self._trees[job]
        order: tuple[int, ...] = (tree.number.get((start, end), 0),)
        if self._ideas.neighbours:
            order = (end - start == 1, job, start)
        tenant = tree.work.tenant if self._ideas.fair else ""
        heapq.heappush(self._ready[tenant], (order, node))

    def _deal(self) -> None:
        while (card := self._roomy()) and (node := self._next(card)):
            step = self._step(node)
            card.held += 1
            self._running[step.tenant] += 1
            before = step.cpu if self._ideas.beside else 0.0
            ready = self._now + 2 * self._profile.latency + step.fetch + before
            self._at(ready, lambda c=card, s=step: self._prepared(c, s))

    def _roomy(self) -> _Card | None:
        card = min(self._cards, key=lambda one: one.held)
        return card if card.held < self._ideas.held else None

    def _next(self, card: _Card) -> Node | None:
        tenants = [tenant for tenant, ready in self._ready.items() if ready]
        if tenants:
            first = min(tenants, key=lambda one: (self._running[one], self._ready[one][0]))
            return heapq.heappop(self._ready[first])[1]
        if not self._ideas.neighbours or card.held:
            return None
        for job, tree in enumerate(self._trees):
            if pair := tree.loose():
                tree.take(pair)
                return (job, *pair)
        return None

    def _step(self, node: Node) -> _Step:
        profile, tenant = self._profile, self._trees[node[0]].work.tenant
        tenant = tenant if self._ideas.fair else ""
        put = profile.transfer(profile.receipt_bytes)
        if node[2] - node[1] > 1:
            work = profile.work("join")
            # The peer checks what it has made, too; here the scheduler does, beside.
            checks = work.before + (0.0 if self._ideas.beside else profile.verify)
            return _Step(node, tenant, 2 * put, checks, work.device, put)
        prove, lift = profile.work("prove", PO2), profile.work("lift")
        checks = lift.before + (0.0 if self._ideas.beside else profile.verify)
        fetch = profile.transfer(profile.segment_bytes)
        return _Step(node, tenant, fetch, prove.before + checks, prove.device + lift.device, put)

    def _prepared(self, card: _Card, step: _Step) -> None:
        card.ready.append((step, step.device + (0.0 if self._ideas.beside else step.cpu)))
        self._work(card)

    def _work(self, card: _Card) -> None:
        if card.ready and not card.working:
            step, seconds = card.ready.pop(0)
            card.working, self._busy = True, self._busy + step.device
            self._at(self._now + seconds, lambda: self._worked(card, step))

    def _worked(self, card: _Card, step: _Step) -> None:
        card.working = False
        self._at(self._now + step.put, lambda: self._put(card, step))
        self._work(card)

    def _put(self, card: _Card, step: _Step) -> None:
        card.held -= 1
        self._running[step.tenant] -= 1
        job, start, end = step.node
        tree = self._trees[job]
        if tree.executed and (start, end) == (0, tree.work.segments):
            self._took[tree.work.label] = self._now + self._profile.verify - tree.work.at
            return
        tree.free.add((start, end))
        self._pair(job, (start, end))

    def _pair(self, job: int, span: tuple[int, int]) -> None:
        tree = self._trees[job]
        if span in tree.free and (pair := tree.planned(span)):
            tree.take(pair)
            self._offer((job, *pair))


def _size(span: tuple[int, int]) -> int:
    return span[1] - span[0]
