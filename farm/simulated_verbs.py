"""Answer each verb of a host as the real one does, but for the proof: claims are checked as there.

Pure: what an answer takes in time is returned with it, and who asks lets that time pass.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from farm import claim as claims
from farm.claim import Claim
from farm.errors import HostFailed, WrongClaim
from farm.frames import Part
from farm.simulated_profile import Profile, Work
from farm.simulated_receipts import Played, decode, encode

Args = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """An answer, what it takes to make it, and of what it is."""

    work: Work
    done: dict[str, Any]
    parts: list[bytes] = field(default_factory=list)
    of: Played | None = None


def image_id(program: bytes) -> str:
    """Return the image id that a program has here: its SHA-256."""
    return sha256(program).hexdigest()


def answer(verb: str, profile: Profile, args: Args, parts: Sequence[Part], kept: set[str]) -> Task:
    """Return the answer to any verb but `execute`; raises as the real host does.

    `kept` holds the digests of segments whose preflight is done.
    """
    if verb not in _VERBS:
        raise HostFailed(verb, "not simulated")
    return _VERBS[verb](_Ask(verb, profile, args, [bytes(part) for part in parts], kept))


def whole(raw: bytes, image_id: str | None) -> Played:
    """Return what a simulated receipt plays, if it is of this program (None for any).

    Raises WrongKind, BadReceipt or WrongClaim.
    """
    receipt = decode(raw, "receipt")
    if image_id is not None:
        _expect_image(receipt, image_id, receipt.journal)
    return receipt


@dataclass(frozen=True)
class _Ask:
    """One request."""

    verb: str
    profile: Profile
    args: Args
    parts: list[bytes]
    kept: set[str]

    def work(self, po2: int = 0, *, prepared: bool = False) -> Work:
        return self.profile.work(self.verb, po2, prepared=prepared)

    def read(self, *forms: str) -> list[Played]:
        return [decode(part, *forms) for part in self.parts]

    def expect(self, digest: str) -> None:
        wanted = self.args.get("claim")
        if wanted not in (None, digest):
            raise WrongClaim(f"claim {digest}", f"claim {wanted}")

    def made(self, form: str, of: Played, **changed: Any) -> Task:
        """Return the receipt that comes of `of`, with what is another in it."""
        receipt = msgspec.structs.replace(of, form=form, **changed)
        self.expect(receipt.digest)
        done: dict[str, Any] = {"digest": receipt.digest}
        if receipt.claim:
            done["claim"] = msgspec.to_builtins(receipt.claim)
        body = encode(receipt, self.profile.receipt_bytes)
        return Task(self.work(of.po2, prepared=of.digest in self.kept), done, [body], receipt)


def _image_id(ask: _Ask) -> Task:
    return Task(Work(), {"image_id": image_id(ask.parts[0])})


def _preflight(ask: _Ask) -> Task:
    (segment,) = ask.read("segment")
    ask.expect(segment.digest)
    ask.kept.add(segment.digest)
    return Task(ask.work(segment.po2), {"digest": segment.digest}, of=segment)


def _prove(ask: _Ask) -> Task:
    (segment,) = ask.read("segment")
    task = ask.made("proof", segment)
    ask.kept.discard(segment.digest)
    return task


def _lift(ask: _Ask) -> Task:
    (proof,) = ask.read("proof")
    return ask.made("succinct", proof)


def _join(ask: _Ask) -> Task:
    left, right = ask.read("succinct")
    one, other = _claim(left), _claim(right)
    if (one.post, one.sys_exit) != (other.pre, claims.SPLIT):
        raise HostFailed("join", "the second receipt does not go on where the first one ends")
    both = one.join(other)
    return ask.made(
        "succinct", right, claim=both, digest=both.digest(), span=(left.span[0], right.span[1])
    )


def _resolve(ask: _Ask) -> Task:
    conditional, held = decode(ask.parts[0], "succinct"), decode(ask.parts[1], *_ASSUMABLE)
    if not conditional.assumed or conditional.assumed[0] not in _proves(held):
        raise HostFailed("resolve", "the receipt does not assume what the other one proves")
    left = conditional.assumed[1:]
    output = claims.tagged("risc0.Output", [conditional.journal_digest, claims.assumed(left)], [])
    resolved = msgspec.structs.replace(_claim(conditional), output=output)
    return ask.made("succinct", conditional, claim=resolved, digest=resolved.digest(), assumed=left)


def _keccak(ask: _Ask) -> Task:
    (request,) = ask.read("request")
    return ask.made("assumption", request, root=claims.KECCAK_ROOT)


def _union(ask: _Ask) -> Task:
    left, right = ask.read(*_ASSUMABLE)
    both = claims.union(_proves(left)[-1], _proves(right)[-1])
    span = (left.span[0], right.span[1])
    span = (left.span[0], right.span[1])
    united = Played(form="assumption", digest=both, root=claims.RECURSION_ROOT, span=span)
    return ask.made("assumption", united, label=right.label)


def _verify(ask: _Ask) -> Task:
    (receipt,) = ask.read(*_SHOWN[ask.args.get("form", "receipt")])
    ask.expect(receipt.digest)
    whole = receipt.form == "receipt"
    if wanted := ask.args.get("image_id"):
        _expect_image(receipt, wanted, receipt.journal if whole else None)
    done = {
        "kind": "simulated",
        "digest": receipt.digest,
        "claim": msgspec.to_builtins(receipt.claim),
        "journal_len": len(receipt.journal) if whole else None,
    }
    return Task(ask.work(), done, [receipt.journal] if whole else [], receipt)


def _finalize(ask: _Ask) -> Task:
    root, journal = decode(ask.parts[0], "succinct"), ask.parts[1]
    ask.expect(root.digest)
    _expect_image(root, ask.args["image_id"], journal)
    receipt = msgspec.structs.replace(root, form="receipt", journal=journal)
    body = encode(receipt, ask.profile.receipt_bytes + len(journal))
    return Task(ask.work(), {"kind": "simulated", "digest": root.digest}, [body], receipt)


#: Forms that can be verified, by what `verify` calls them; and those that discharge an assumption.
_SHOWN = {
    "receipt": ("receipt",),
    "assumption": ("assumption", "receipt", "succinct"),
    "succinct": ("succinct", "assumption"),
    "segment": ("proof",),
    "keccak": ("assumption",),
}
_ASSUMABLE = ("assumption", "receipt", "succinct")

_VERBS: dict[str, Callable[[_Ask], Task]] = {
    "image-id": _image_id,
    "preflight": _preflight,
    "prove": _prove,
    "lift": _lift,
    "join": _join,
    "resolve": _resolve,
    "prove-keccak": _keccak,
    "union": _union,
    "verify": _verify,
    "finalize": _finalize,
}


def _claim(played: Played) -> Claim:
    if played.claim is None:
        raise HostFailed(played.form, "its claim is not shown")
    return played.claim


def _proves(held: Played) -> list[str]:
    """Return the assumptions that a receipt discharges; in a union it counts as the last."""
    roots = [held.root] if held.form == "assumption" else [claims.ZERO, claims.RECURSION_ROOT]
    return [claims.assumption(held.digest, root) for root in roots]


def _expect_image(receipt: Played, wanted: str, journal: bytes | None) -> None:
    """Refuse a claim other than "this program ended well with this journal"."""
    claim = _claim(receipt)
    if claim.pre != wanted:
        raise WrongClaim(f"image {claim.pre}", f"image {wanted}")
    if journal is None:
        return
    well = Claim.ok(wanted, journal).digest()
    if well != receipt.digest:
        good = f"a good end with this journal, claim {well}"
        raise WrongClaim(f"claim {receipt.digest}", good)
