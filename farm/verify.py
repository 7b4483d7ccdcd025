"""Ask a host what a program's image id is, and whether a receipt proves what it should.

Any build of the host can: the small one, without a prover, too.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from farm import locate, played, simulated_verbs
from farm import settings as config
from farm.errors import WrongKind
from farm.host import HostChild
from farm.settings import Settings

#: Seconds one check may take: a receipt of hundreds of segments verifies in some seconds.
SECONDS = 120.0


@dataclass(frozen=True)
class Verified:
    """What a receipt proves: a guest with this journal, and the digest of the claim.

    Of kind "trace" or "simulated" it proves nothing; a trace's digest is its commitment.
    """

    kind: str
    digest: str
    journal: bytes


@contextlib.contextmanager
def host(settings: Settings | None = None) -> Iterator[HostChild]:
    """Have a host child for the block; raises HostMissing or HostMismatch."""
    chosen = settings or config.load()
    child = HostChild(locate.find(chosen))
    try:
        yield child
    finally:
        child.close()


def image_id(program: bytes, settings: Settings | None = None) -> str:
    """Return the image id of an ELF file or program blob; raises BadProgram.

    Where the farm is simulated, any bytes are a program.
    """
    if (settings or config.load()).simulated:
        return simulated_verbs.image_id(program)
    with host(settings) as child:
        done = child.request("image-id", {}, [program], seconds=SECONDS).done
    return str(done["image_id"])


def verify(receipt: bytes, image_id: str | None, settings: Settings | None = None) -> Verified:
    """Return what a receipt proves, once it is shown to prove it of this program.

    Raises BadReceipt, WrongClaim for one of another program, WrongKind for one that proves
    nothing. With None for the image id it only tells what is proved, not of what.
    """
    if kind := played.kind(receipt):
        raise WrongKind(kind, "risc0")
    args: dict[str, Any] = {"form": "receipt"}
    if image_id is not None:
        args["image_id"] = image_id
    with host(settings) as child:
        answer = child.request("verify", args, [receipt], seconds=SECONDS)
    return Verified(answer.done["kind"], answer.done["digest"], b"".join(answer.parts))


def assumption(receipt: bytes, settings: Settings | None = None) -> str:
    """Return the kind of a receipt that guests may rely on, once it is shown to hold by itself.

    Takes bincode of a `Receipt` or an `InnerAssumptionReceipt`. One that only plays a receipt
    proves nothing, and its kind says so. Raises BadReceipt, or WrongKind for a fake one.
    """
    if kind := played.kind(receipt):
        return PLAYED[kind](receipt, None).kind
    with host(settings) as child:
        done = child.request("verify", {"form": "assumption"}, [receipt], seconds=SECONDS).done
    return str(done["kind"])


def simulated(receipt: bytes, image_id: str | None) -> Verified:
    """Return what a simulated receipt plays to prove; it proves nothing, and needs no host.

    Raises as `trace` does.
    """
    played_out = simulated_verbs.whole(receipt, image_id)
    return Verified("simulated", played_out.digest, played_out.journal)


def trace(receipt: bytes, image_id: str | None) -> Verified:
    """Return what a trace receipt commits to; it proves nothing, and needs no host.

    Raises WrongKind for any other file, BadReceipt for one that was changed, WrongClaim for one
    of another program.
    """
    says, journal = played.read(receipt, image_id)
    return Verified(says.kind, says.digest(), journal)


#: How receipts that prove nothing are checked, by their kind; none of them is one of risc0.
PLAYED = {"trace": trace, "simulated": simulated}
