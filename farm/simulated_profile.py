"""Say how long a simulated prover takes for each step, and how much memory: a timing profile.

A profile is a TOML file; those of farm/profiles name the sources of their figures.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from farm.errors import BadSetting
from farm.settings import PO2

FOLDER = Path(__file__).parent / "profiles"

#: Verbs of recursion: how many receipts the host checks before each of them (host/src does).
CHECKED = {"lift": 1, "join": 2, "resolve": 2, "union": 2}


class Work(NamedTuple):
    """What a step takes: seconds before the device, seconds of the device, and its memory."""

    before: float = 0.0
    device: float = 0.0
    gib: float = 0.0


class Needs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """GiB that steps take; `prove` by po2."""

    keccak: float
    recursion: float
    prove: dict[int, float]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One device, the machine around it, and the network in front: seconds, bytes, GiB."""

    memory: float
    cycles_per_second: float
    verify: float
    lift: float
    join: float
    resolve: float
    union: float
    keccak: float
    latency: float
    bytes_per_second: float
    segment_bytes: int
    receipt_bytes: int
    #: Seconds by po2; between two known ones, and beyond them, time grows with the rows.
    preflight: dict[int, float]
    prove: dict[int, float]
    needs: Needs

    def work(self, verb: str, po2: int = 0, *, prepared: bool = False) -> Work:
        """Return what a verb takes; `prepared` tells that a segment's preflight is done."""
        match verb:
            case "preflight":
                return Work(before=at(self.preflight, po2))
            case "prove":
                before = 0.0 if prepared else at(self.preflight, po2)
                return Work(before, at(self.prove, po2), _room(self.needs.prove, po2))
            case "prove-keccak":
                return Work(0.0, self.keccak, self.needs.keccak)
            case "verify" | "finalize":
                return Work(before=self.verify)
        seconds = {
            "lift": self.lift,
            "join": self.join,
            "resolve": self.resolve,
            "union": self.union,
        }[verb]
        return Work(CHECKED[verb] * self.verify, seconds, self.needs.recursion)

    def largest(self) -> int:
        """Return the po2 of the largest segment whose proof fits the memory."""
        fitting = [po2 for po2 in PO2 if _room(self.needs.prove, po2) <= self.memory]
        return max(fitting, default=PO2[0])

    def folding(self) -> float:
        """Return the seconds of one join, from its inputs' fetching to its output's storing."""
        work = self.work("join")
        return work.before + work.device + 3 * self.transfer(self.receipt_bytes)

    def executing(self, po2: int) -> float:
        """Return the seconds in which an execution makes a segment of 2^po2 cycles."""
        return float(1 << po2) / self.cycles_per_second

    def transfer(self, length: int) -> float:
        """Return the seconds in which a body comes from the blob store, or goes there."""
        return self.latency + length / self.bytes_per_second


def at(known: Mapping[int, float], po2: int) -> float:
    """Return the seconds for a po2: as known, in between by ratio, beyond by the rows."""
    below = [one for one in known if one <= po2]
    above = [one for one in known if one >= po2]
    if not below or not above:
        nearest = max(known) if below else min(known)
        return float(known[nearest] * 2.0 ** (po2 - nearest))
    low, high = max(below), min(above)
    share = (po2 - low) / (high - low) if high > low else 0.0
    return float(known[low] ** (1 - share) * known[high] ** share)


def _room(known: Mapping[int, float], po2: int) -> float:
    # What is known of the next larger size holds for one in between.
    fitting = [one for one in known if one >= po2]
    return known[min(fitting)] if fitting else known[max(known)] * 2.0 ** (po2 - max(known))


@cache
def load(name: str) -> Profile:
    """Return the profile of this name, or in this file; raises BadSetting."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        raw = tomllib.loads(path.read_text())
        return msgspec.convert(raw, Profile, str_keys=True)
    except OSError as error:
        known = ", ".join(sorted(one.stem for one in FOLDER.glob("*.toml")))
        why = f"no profile {name!r} ({error.strerror}); there are {known}, or a path to a .toml"
        raise BadSetting("simulated", why) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise BadSetting("simulated", f"profile {path}: {error}") from error
