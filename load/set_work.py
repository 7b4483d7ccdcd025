"""Measure the work of one real set of golden receipts: the farm's beside that of its steps alone.

    python load/set_work.py [--members N]

Work is CPU seconds of the host children, so that other work on the machine matters little. The
steps alone: one child executes, unites, proves, lifts and resolves, each once as it is needed, with
all cores. Prints goal and figure; the exit status is 1 when it is missed. Ten members take half an
hour on two cores.
"""

import argparse
import json
import sys
import time
import tomllib
from pathlib import Path

import own
import psutil

from farm import Farm, Receipt, locate, set_builder, set_builder_program
from farm.claim import RECURSION_ROOT
from farm.host import HostChild
from farm.session import Span
from farm.set_builder import Member
from farm.settings import Settings
from farm.shapes import MEMBERS

HERE = Path(__file__).resolve().parent
GOLDEN, IMAGES = HERE.parent / "tests" / "golden", HERE.parent / "guest" / "images.toml"
#: The farm's work by that of the steps alone.
GOAL = 1.10


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=10)
    given = members()[: parser.parse_args().members]
    po2 = _po2(len(given))
    with own.farm(segment_po2=po2) as settings:
        ours = by_farm(settings, given, po2)
        alone = by_steps(locate.find(settings), given, po2)
    figure = ours / alone
    row = {"members": len(given), "farm_cpu_s": round(ours, 1), "steps_cpu_s": round(alone, 1)}
    row |= {"goal": "work by that of the steps alone", "figure": round(figure, 3), "at_most": GOAL}
    print(json.dumps(row))
    return int(figure > GOAL)


def members() -> list[Receipt]:
    """Return ten real receipts of three programs, verified."""
    sessions = json.loads((GOLDEN / "sessions.json").read_text())
    images = tomllib.loads(IMAGES.read_text())["images"]
    names = ["one", "compose", "keccak", "two", "seven", "lucas"]
    files = [(sessions[name]["image_id"], sessions[name]["receipt"]) for name in names]
    files += [(images["fibonacci"], f"receipt-rounds-{rounds}.bin") for rounds in (3, 5, 8, 13)]
    return [Receipt.load(GOLDEN / file, image) for image, file in files]


def by_farm(settings: Settings, given: list[Receipt], po2: int) -> float:
    """Return the CPU seconds in which the provers of a farm make one receipt of all."""
    with Farm(settings=settings) as farm:
        began, before = time.monotonic(), _provers(settings)
        farm.aggregate(given, po2=po2).wait()
        after, wall = _provers(settings), time.monotonic() - began
    if lost := before.keys() - after.keys():
        raise SystemExit(f"{len(lost)} provers did not last: nothing is measured")
    print(json.dumps({"farm_wall_s": round(wall, 1)}), flush=True)
    return sum(after.values()) - sum(before.values())


def _provers(settings: Settings) -> dict[int, float]:
    """Return the CPU seconds of each host child of this farm, by process."""
    found = {}
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "serve" in words and "farm-host" in words[0] and _ours(process, settings):
            times = process.cpu_times()
            found[process.pid] = times.user + times.system
    return found


def _ours(process: psutil.Process, settings: Settings) -> bool:
    return process.environ().get("FARM_STATE") == str(settings.state)


def by_steps(host: Path, given: list[Receipt], po2: int) -> float:
    """Return the CPU seconds in which one child does what is needed, each step once."""
    child = HostChild(host)
    try:
        before = child.cpu_seconds() or 0.0
        segments: list[bytes] = []
        own_id = set_builder.IMAGE_ID
        of = [Member.of(one.image_id, one.journal) for one in given]
        assumed = [{"claim": set_builder.united(of), "control_root": RECURSION_ROOT}]
        parts = [set_builder_program.read(), set_builder.stdin(own_id, of)]
        keep = lambda facts, body: segments.append(body)  # noqa: E731
        child.request("execute", {"po2": po2, "assumed": assumed}, parts, keep)
        union = _united(child, [one.bytes for one in given], Span(0, len(given)))
        (segment,) = segments
        proof = _step(child, "prove", segment)
        _step(child, "resolve", _step(child, "lift", proof), union)
        return (child.cpu_seconds() or 0.0) - before
    finally:
        child.close()


def _united(child: HostChild, given: list[bytes], span: Span) -> bytes:
    if span.end - span.start == 1:
        return given[span.start]
    return _step(child, "union", *(_united(child, given, half) for half in MEMBERS.halves(span)))


def _step(child: HostChild, verb: str, *parts: bytes) -> bytes:
    began = time.monotonic()
    made = bytes(child.request(verb, {"width": psutil.cpu_count() or 1}, parts).parts[0])
    print(json.dumps({"alone": verb, "wall_s": round(time.monotonic() - began, 1)}), flush=True)
    return made


def _po2(count: int) -> int:
    """Return the size of the one segment that the set builder takes for so many."""
    return max(17, (set_builder.cycles(count) + set_builder.RESERVED - 1).bit_length())


if __name__ == "__main__":
    sys.exit(main())
