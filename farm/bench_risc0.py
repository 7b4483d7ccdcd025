"""The reference's rows on RISC Zero: from golden receipts, and from the user's farm if it is up."""

import json
import time
from pathlib import Path
from statistics import median

from farm import verify
from farm import worth as rules
from farm.bench_row import Found, Row
from farm.client import Farm
from farm.errors import FarmError, HostError, WrongKind
from farm.host import HostChild
from farm.job import State

#: Real receipts, where this is run from a checkout.
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
#: Bytes of a receipt of the reference.
BYTES = 215_000
#: Times that a receipt is verified.
TIMES = 9

_NONE = "not measured here"
_PART = "RISC0"


def risc0(seconds: float) -> Found:
    """Return the rows on RISC Zero; what is not there says so."""
    return Found([_one_proof(), *_receipt(), *_layers()])


def _one_proof() -> Row:
    try:
        with Farm() as farm:
            jobs = [job for job in farm.jobs() if job.state is State.SUCCEEDED]
    except FarmError:
        jobs = []
    took = [job.finished - job.created for job in jobs if job.finished > job.created]
    ours = f"{took[0]:.1f} s, the newest job of the farm that is up" if took else _NONE
    return Row(_PART, "one proof", "11 s", ours)


def _receipt() -> list[Row]:
    reference = ["24.5 ms", f"{BYTES:,}", "41/s"]
    whats = ["verify", "bytes of a receipt", "on-chain rate, 1 / verify"]
    try:
        receipt = (GOLDEN / "receipt-one.bin").read_bytes()
        image = json.loads((GOLDEN / "sessions.json").read_text())["one"]["image_id"]
        with verify.host() as child:
            took = _verified(child, receipt, image)
            refused = _refuses(child, (GOLDEN / "receipt-fake.bin").read_bytes())
    except (OSError, HostError) as error:
        why = f"{_NONE}: {error}"
        return [Row(_PART, what, old, why) for what, old in zip(whats, reference, strict=True)]
    ours = [f"{took * 1e3:.1f} ms", f"{len(receipt):,}", f"{1 / took:.0f}/s"]
    rows = [Row(_PART, *cells) for cells in zip(whats, reference, ours, strict=True)]
    says = "a fake is refused" if refused else "A FAKE IS ACCEPTED"
    return [*rows, Row(_PART, "kinds are never mixed up", "one switch", says, "refused", refused)]


def _verified(child: HostChild, receipt: bytes, image: str) -> float:
    """Return the median seconds that the host takes to verify a receipt, asked over a pipe."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        child.request("verify", {"form": "receipt", "image_id": image}, [receipt])
        took.append(time.perf_counter() - began)
    return median(took)


def _refuses(child: HostChild, fake: bytes) -> bool:
    try:
        child.request("verify", {"form": "receipt"}, [fake])
    except WrongKind:
        return True
    return False


def _layers() -> list[Row]:
    room = f"answers kept 30 days; room for a program x {rules.ROOM['risc0']:.0f}"
    said = {
        "layer 1: environments": ("trace, RISC0", "one farm, two kinds of job"),
        "layer 2: caching": ("capacity x 100", room),
        "layer 3: 32 / 64 / 128 cores": ("2.9 / 5.8 / 11.6 proofs/s, expected", _NONE),
        "layer 4: GPU": ("10-50 x, expected", _NONE),
        "layer 5: aggregation": ("10 proofs to 1, never done", _NONE),
    }
    return [Row(_PART, what, *cells) for what, cells in said.items()]
