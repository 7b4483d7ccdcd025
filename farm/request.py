"""Check what a client asks for, before anything of it is stored: a job is durable once accepted."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from farm import played
from farm.errors import BadInput, BadProgram, WrongKind
from farm.job import JobSpec
from farm.receipt import Receipt
from farm.settings import PO2, ZKVM

#: Kinds of jobs: proved; executed, with a commitment for a receipt; executed alone.
MODES = ("risc0", "trace", "execute")
#: Kinds of receipts of a job that is proved.
RECEIPTS = ("succinct", "composite", "groth16")

#: A guest program: its bytes (ELF or blob), or the file that holds them.
Program = bytes | str | os.PathLike[str]


def body(program: Program, limit: int) -> bytes:
    """Return a program's bytes; raises BadProgram for none, and for more than `limit`."""
    found = program if isinstance(program, bytes) else _read(Path(program))
    if not found:
        raise BadProgram("it is empty", ZKVM)
    if len(found) > limit:
        raise BadProgram(f"{len(found)} bytes are over {limit}", ZKVM)
    return found


def kinds(mode: str, receipt: str) -> dict[str, str]:
    """Return the kind of a job and of its receipt; raises BadInput for kinds there are not.

    The kind of receipt says nothing of a job that is not proved: one switch changes the mode.
    """
    if mode not in MODES:
        raise BadInput(f"job: mode is {mode!r}, not one of {', '.join(MODES)}")
    if receipt not in RECEIPTS:
        raise BadInput(f"job: receipt is {receipt!r}, not one of {', '.join(RECEIPTS)}")
    return {"kind": mode, "receipt": receipt if mode == "risc0" else mode}


def simulated(kinds: Mapping[str, str]) -> dict[str, str]:
    """Return the kinds in a farm that only plays: of a proof, "simulated", whatever its receipt.

    Raises BadInput for a trace: what a simulated guest does is nothing to commit to.
    """
    if kinds["kind"] == "trace":
        raise BadInput("job: a simulated farm makes no traces of guests")
    mode = "simulated" if kinds["kind"] == "risc0" else kinds["kind"]
    return {"kind": mode, "receipt": mode}


def checked(**fields: Any) -> JobSpec:
    """Return the job with these fields; raises BadInput for one that no scheduler could read."""
    try:
        # A Struct takes anything when it is made; only a conversion looks at the types.
        spec = msgspec.convert(msgspec.to_builtins(fields), JobSpec)
    except (TypeError, ValueError) as error:
        raise BadInput(f"job: {error}") from error
    if spec.po2 not in PO2:
        raise BadInput(f"job: po2 is {spec.po2}, not 14 or 16 to 22")
    if not 0 < spec.cycle_limit < 1 << 63:
        raise BadInput(f"job: cycle_limit is {spec.cycle_limit}, not 1 to 2^63 - 1")
    if abs(spec.priority) >= 1 << 31:
        raise BadInput(f"job: priority is {spec.priority}, not within 32 bits")
    if spec.deadline is not None and not math.isfinite(spec.deadline):
        raise BadInput(f"job: deadline is {spec.deadline}, not a unix time")
    return spec


def assumed(given: Receipt | bytes) -> tuple[bytes, str]:
    """Return a receipt that a guest may rely on, and its kind as far as one can see here."""
    raw = given if isinstance(given, bytes) else given.bytes
    stated = "succinct" if isinstance(given, bytes) else given.kind
    return raw, played.kind(raw) or stated


def fits(kind: str, asked: Mapping[str, str], *, simulated: bool = False) -> None:
    """Raise WrongKind for an assumption's receipt that is of no use to the job asked for.

    A `simulated` farm takes its own receipts alone, whatever becomes of the job.
    """
    # What is not proved needs no proof of what it relies on.
    allowed = [*RECEIPTS, "trace"]
    if simulated:
        allowed = ["simulated"]
    if asked["kind"] == "risc0":
        allowed = [*RECEIPTS] if asked["receipt"] == "composite" else ["succinct"]
    if kind not in allowed:
        raise WrongKind(kind, " or ".join(allowed))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadProgram(f"cannot read {path} ({error.strerror})", ZKVM) from error
