"""What outputs would prove: each step is checked to be given what it can work on."""

from typing import NamedTuple

from sessions import keccak, ref, segment

from farm.session import parse_step
from farm.shapes import KECCAKS, MEMBERS


class Guest(NamedTuple):
    """What one execution made; `relied` are the receipts it relied on, "" for its own hashes."""

    execution: int
    segments: int
    hashes: int
    relied: tuple
    #: Of a set, how many members it has.
    members: int = 0

    def names(self, start=0, end=None):
        end = self.segments if end is None else end
        return tuple(f"{self.execution}.{index}" for index in range(start, end))


class Proof(NamedTuple):
    """Segments or hashes in their order, and the assumptions that are resolved."""

    what: str
    parts: tuple
    resolved: tuple = ()


class Proofs:
    """The outputs of all steps, by reference."""

    def __init__(self):
        self._known = {}

    def make(self, message, guest):
        """Do a step; return its output."""
        kind, span = parse_step(message.step)
        proof = getattr(self, kind)(message.inputs, span, guest)
        output = ref(f"{message.session} {message.step} {message.attempt}")
        self._known[output] = proof
        return output

    def check(self, asked, guest):
        """Check that the roots are the receipt of all, with nothing left to resolve."""
        if asked.kind != "composite":
            (root,) = asked.roots
            assert self._known[root][1:] == (guest.names(), guest.relied)
            return
        proofs = [self._known[one] for one in asked.roots[: guest.segments]]
        assert [proof.parts for proof in proofs] == [(name,) for name in guest.names()]
        for given, wanted in zip(asked.roots[guest.segments :], guest.relied, strict=True):
            self.discharges(given, wanted, guest)

    def discharges(self, given, wanted, guest):
        if wanted:
            assert given == wanted
        elif guest.members:
            proof = self._known.get(given, Proof("members", (given,)))
            assert (proof.what, len(proof.parts)) == ("members", guest.members)
        else:
            assert self._known[given] == Proof("hashes", tuple(range(guest.hashes)))

    def prove(self, inputs, span, guest):
        assert inputs == [segment(span.start, execution=guest.execution).ref]
        return Proof("segments", guest.names(*span))

    def keccak(self, inputs, span, guest):
        assert inputs == [keccak(span.start).ref]
        return Proof("hashes", tuple(range(*span)))

    def join(self, inputs, span, guest):
        left, right = (self._known[one] for one in inputs)
        assert left.parts + right.parts == guest.names(*span)
        return Proof("segments", guest.names(*span))

    def union(self, inputs, span, guest):
        if guest is None or guest.members:
            found = [self._known.get(one, Proof("members", (one,))).parts for one in inputs]
            assert [*map(len, found)] == [end - at for at, end in MEMBERS.halves(span)]
            return Proof("members", found[0] + found[1])
        found = [self._known[one].parts for one in inputs]
        assert found == [tuple(range(*half)) for half in KECCAKS.halves(span)]
        return Proof("hashes", tuple(range(*span)))

    def resolve(self, inputs, span, guest):
        before, given = inputs
        proof, wanted = self._known[before], guest.relied[span.start]
        assert proof == Proof("segments", guest.names(), guest.relied[: span.start])
        self.discharges(given, wanted, guest)
        return proof._replace(resolved=(*proof.resolved, wanted))

    def wrap(self, inputs, span, guest):
        proof = self._known[inputs[0]]
        assert proof == Proof("segments", guest.names(), guest.relied)
        return proof._replace(what="wrapped")
