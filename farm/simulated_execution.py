"""Play an execution: segments and keccak requests as they appear, then how the guest ended.

Pure: it yields what comes out and how long that takes; who asks lets the time pass.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import accumulate
from typing import Any, NamedTuple

import msgspec

from farm import claim as claims
from farm import mountain, set_builder
from farm import simulated_guest as guests
from farm.claim import Claim
from farm.errors import (
    BadInput,
    CycleLimitReached,
    GuestPanicked,
    HostFailed,
    ImageMismatch,
    InputTooLarge,
)
from farm.frames import Part
from farm.session import Span
from farm.settings import PO2
from farm.shapes import KECCAKS
from farm.simulated_guest import Assumed, Guest
from farm.simulated_profile import Profile
from farm.simulated_receipts import Played, decode, encode
from farm.simulated_verbs import image_id

#: Size of a keccak proof where nobody says: RISC Zero's own default (RISC0_KECCAK_PO2).
KECCAK_PO2 = 17


class Emitted(NamedTuple):
    """What comes out next after so long: "segment", "keccak", "done" at the end, "" nothing."""

    what: str
    seconds: float
    facts: dict[str, Any]
    parts: list[bytes]


class _Does(NamedTuple):
    """What a guest does with its input."""

    guest: Guest
    journal: bytes
    assumes: list[Assumed]


def execute(
    profile: Profile, args: dict[str, Any], parts: Sequence[Part], entropy: str, builder: str = ""
) -> Iterator[Emitted]:
    """Yield what an execution puts out, the end last; with `proved` false, after the same time.

    `builder` is the image id of the set builder, which reads what the real one does.

    Raises BadInput, ImageMismatch, InputTooLarge, CycleLimitReached, GuestPanicked or
    AssumptionMissing where the real one does.
    """
    program, stdin, *relied_on = (bytes(part) for part in parts)
    _check(args, stdin)
    image = image_id(program)
    does = _set(stdin) if image == builder else _any(stdin)
    if args.get("image_id", image) != image:
        raise ImageMismatch(image, args["image_id"])
    proven = [decode(one, "receipt", "succinct", "assumption").digest for one in relied_on]
    yield from _Execution(profile, args, image, does, entropy, proven).run()


def _any(stdin: bytes) -> _Does:
    guest = guests.read(stdin)
    return _Does(guest, guests.journal(guest, stdin), [(one, claims.ZERO) for one in guest.assumes])


def _set(stdin: bytes) -> _Does:
    own, members = set_builder.read(stdin)
    guest = Guest(label="set", cycles=set_builder.cycles(len(members)) + set_builder.RESERVED)
    root = mountain.root([member.claim for member in members])
    united = (set_builder.united(members), claims.RECURSION_ROOT)
    return _Does(guest, set_builder.journal(own, root), [united])


def _given(args: dict[str, Any], proven: Sequence[str]) -> set[Assumed]:
    """Return what a guest may rely on: what is proved, and what its caller sees to."""
    seen_to = args.get("assumed", [])
    named = [(one, claims.ZERO) for one in [*proven, *seen_to] if isinstance(one, str)]
    under = [(one["claim"], one["control_root"]) for one in seen_to if isinstance(one, dict)]
    return {*named, *under}


def _check(args: dict[str, Any], stdin: bytes) -> None:
    if args["po2"] not in PO2:
        raise BadInput(f"segment po2 {args['po2']}: use 14, or 16 to 22")
    limit = args.get("input_limit")
    if limit is not None and len(stdin) > limit:
        raise InputTooLarge(len(stdin), limit)


class _Execution:
    """One run of one guest."""

    def __init__(
        self,
        profile: Profile,
        args: dict[str, Any],
        image: str,
        does: _Does,
        entropy: str,
        proven: list[str],
    ) -> None:
        self._profile, self._args, self._image = profile, args, image
        guest, self._journal, self._assumes = does
        self._guest = guest
        self._entropy, self._proven = entropy, proven
        self._sizes = guests.sizes(guest, args["po2"])
        self._cycles = guest.cycles or sum(1 << po2 for po2 in self._sizes)
        self._relied_on = guests.rely(self._assumes, _given(args, proven))

    def run(self) -> Iterator[Emitted]:
        yield from self._keccaks()
        assumes = self._relied_on + self._united()
        found = guests.segment_claims(
            self._image, self._entropy, len(self._sizes), self._journal, assumes
        )
        ends = accumulate(1 << po2 for po2 in self._sizes)
        for index, (po2, claim, end) in enumerate(zip(self._sizes, found, ends, strict=True)):
            self._limit(end - (1 << po2) + 1)
            yield self._segment(index, po2, claim, assumes)
        self._limit(self._cycles)
        if self._guest.panics:
            raise guests.failed(GuestPanicked(self._guest.panics))
        yield self._done(found)

    def _limit(self, cycles: int) -> None:
        limit = self._args.get("cycle_limit")
        if limit is not None and cycles > limit:
            raise guests.failed(CycleLimitReached(limit))

    def _segment(self, index: int, po2: int, claim: Claim, assumes: list[str]) -> Emitted:
        last = index + 1 == len(self._sizes)
        played = Played(
            form="segment",
            digest=claim.digest(),
            claim=claim,
            journal_digest=sha256(self._journal).hexdigest() if last else "",
            assumed=assumes if last else [],
            po2=po2,
            label=self._guest.label,
            span=(index, index + 1),
        )
        body = encode(played, self._profile.segment_bytes)
        facts = {"index": index, "po2": po2, "digest": played.digest}
        facts["claim"] = msgspec.to_builtins(claim)
        return Emitted(self._what("segment"), self._profile.executing(po2), facts, [body])

    def _what(self, what: str) -> str:
        """Return what a piece counts as: of a guest of which nothing is proved, as nothing."""
        return what if self._args.get("proved", True) else ""

    def _keccaks(self) -> Iterator[Emitted]:
        wanted, po2 = self._args.get("keccak", False), self._args.get("keccak_po2", KECCAK_PO2)
        if self._guest.keccaks and self._what("keccak") and not wanted:
            why = "the guest uses the keccak circuit, which its caller does not prove"
            raise HostFailed("execute", why)
        for index in range(self._guest.keccaks):
            digest = guests.keccak_digest(self._entropy, index)
            played = Played(
                form="request",
                digest=digest,
                po2=po2,
                label=self._guest.label,
                span=(index, index + 1),
            )
            facts = {"index": index, "po2": po2, "digest": digest}
            body = encode(played, self._profile.segment_bytes)
            yield Emitted(self._what("keccak"), 0.0, facts, [body])

    def _united(self) -> list[str]:
        """Return the digest of what all keccak proofs together have to prove, in a list."""
        count = self._guest.keccaks
        return [self._assumption(Span(0, count))] if count else []

    def _assumption(self, span: Span) -> str:
        claim, root = self._union(span)
        return claims.assumption(claim, root)

    def _union(self, span: Span) -> tuple[str, str]:
        if span.end - span.start == 1:
            return guests.keccak_digest(self._entropy, span.start), claims.KECCAK_ROOT
        left, right = KECCAKS.halves(span)
        both = claims.union(self._assumption(left), self._assumption(right))
        return both, claims.RECURSION_ROOT

    def _done(self, found: list[Claim]) -> Emitted:
        whole = found[0] if len(found) == 1 else found[0].join(found[-1])
        resolved = msgspec.structs.replace(whole, output=claims.output(self._journal))
        total = sum(1 << po2 for po2 in self._sizes)
        facts = {
            "image_id": self._image,
            "segments": len(found),
            "sys_exit": claims.HALTED,
            "user_exit": 0,
            "cycles": {"user": self._cycles, "paging": 0, "reserved": 0, "total": total},
            "claim": msgspec.to_builtins(resolved),
            "digest": resolved.digest(),
            "assumptions": self._assumptions(whole),
        }
        return Emitted("done", 0.0, facts, [self._journal, b"", b""])

    def _assumptions(self, whole: Claim) -> list[dict[str, Any]]:
        steps = [
            (claim, root, root == claims.ZERO and claim in self._proven)
            for claim, root in self._assumes
        ]
        if self._guest.keccaks:
            steps.append((*self._union(Span(0, self._guest.keccaks)), False))
        digests = [claims.assumption(claim, root) for claim, root, _ in steps]
        return [
            {"claim": claim, "control_root": root, "proven": proven}
            | {"digest": self._after(whole, digests[at + 1 :])}
            for at, (claim, root, proven) in enumerate(steps)
        ]

    def _after(self, whole: Claim, left: list[str]) -> str:
        output = claims.output(self._journal, claims.assumed(left))
        return msgspec.structs.replace(whole, output=output).digest()
