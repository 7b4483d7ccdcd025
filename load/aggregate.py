"""Measure one receipt of many on simulated GPUs: a tree of unions beside a chain of resolves.

    python load/aggregate.py [--members N] [--cards N] [--speed S]

All is real but the cards: scheduler, broker, workers, checks. The chain is what a set builder makes
that relies on each member by itself, as RISC Zero's own crate does and the farms that use it: the
executions are as long as measured (CYCLES), the cards have the pace of an RTX 5090, and no two
resolves of one receipt can be side by side. Prints a row for each way, then goal and figure; the
exit status is 1 when it falls short. 1,000 members take five minutes at full pace.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable

import simulated_farm as farms
from simulated import show
from simulated_farm import Shape
from simulated_record import spells

from farm import Farm, Job, Receipt, simulated_profile
from farm.claim import Claim
from farm.simulated_receipts import Played, encode
from farm.simulated_verbs import image_id

#: What a member costs a builder that relies on each: on the crate risc0-aggregation 0.9, and on
#: one as lean as ours (user cycles by farm-host execute, 10 to 100 members).
CYCLES = {"the crate's builder": 77_850, "a builder as lean as ours": 40_130}
#: How many times faster a tree has to be.
GOAL = 5.0


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=1000)
    parser.add_argument("--cards", type=int, default=100)
    parser.add_argument("--speed", type=float, default=1.0, help="of the cards' clock")
    asked = parser.parse_args()
    if asked.speed != 1:
        print(f"the cards' clock runs at {asked.speed:g} of real: not a measurement of the bar")
    shape = Shape(cards=asked.cards, speed=asked.speed)
    given = receipts(asked.members, shape.profile)
    with farms.farm(shape) as settings, Farm(settings=settings) as farm:
        tree = timed(farm, "a tree of unions", lambda: farm.aggregate(given), asked.speed)
        chains = [
            timed(farm, f"a chain: {name}", lambda each=each: chain(farm, given, each), asked.speed)
            for name, each in CYCLES.items()
        ]
    best = min(chains)
    row = show("a chain of resolves, in times of the tree", best / tree, GOAL, least=True)
    return 0 if row["met"] else 1


def receipts(count: int, profile: str) -> list[Receipt]:
    """Return the receipts of as many different jobs, as a simulated host makes them."""
    size = simulated_profile.load(profile).receipt_bytes
    return [_receipt(number.to_bytes(16, "little"), size) for number in range(count)]


def _receipt(journal: bytes, size: int) -> Receipt:
    image = image_id(b"a member")
    claim = Claim.ok(image, journal)
    played = Played(form="receipt", digest=claim.digest(), claim=claim, journal=journal)
    return Receipt(encode(played, size), journal, image, claim.digest(), "simulated")


def chain(farm: Farm, given: list[Receipt], each: int) -> Job:
    """Submit a guest that relies on each of the receipts by itself."""
    assumes = [one.digest for one in given]
    guest = {"label": f"chain-{each}", "cycles": each * len(given), "assumes": assumes}
    return farm.submit(farms.PROGRAM, json.dumps(guest).encode(), assumptions=given)


def timed(farm: Farm, way: str, submit: Callable[[], Job], speed: float) -> float:
    """Return the seconds of the cards' clock that a job takes; print what it took."""
    before = len(spells(farm.settings.state))
    begun = time.monotonic()
    job = submit()
    job.wait()
    seconds = (time.monotonic() - begun) * speed
    found = spells(farm.settings.state)[before:]
    busy = sum((one.stop or one.start) - one.start for one in found) * speed
    row = {"way": way, "seconds": round(seconds, 2), "steps": len(found)}
    row |= {"segments": job.status().stats["segments"], "card_seconds": round(busy, 1)}
    print(json.dumps(row), flush=True)
    return seconds


if __name__ == "__main__":
    sys.exit(main())
