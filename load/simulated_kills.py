"""Kill processes of a simulated farm while it proves, and see what that costs."""

import json
import os
import random
import signal
import time
from collections import Counter
from typing import NamedTuple

import simulated_farm as farms
from simulated_farm import PROGRAM, Shape
from simulated_jobs import PO2
from simulated_record import Spell, repeated, spells

from farm import Farm, running, simulated_profile
from farm.settings import Settings

#: Who is killed, as the bar names them: a prover and a folder are workers in the middle of that.
VICTIMS = ("executor", "prover", "folder", "scheduler")
_FOLDING = ("join", "resolve", "union")


class Cost(NamedTuple):
    """What kills have cost: the share of device seconds spent in vain, and who was killed."""

    repeated: float
    killed: dict[str, int]


def measure(shape: Shape, segments: int, seconds: float, seed: int = 0) -> Cost:
    """Return what it costs to kill at random, every so many seconds, until a job is done.

    Its receipt is verified in the end, as far as a simulated one can be.
    """
    profile, chance = simulated_profile.load(shape.profile), random.Random(seed)
    killed: Counter[str] = Counter()
    with farms.farm(shape) as settings, Farm(settings=settings) as farm:
        stdin = json.dumps({"label": "killed", "segments": segments}).encode()
        job, due = farm.submit(PROGRAM, stdin), time.monotonic() + seconds
        while not job.status().state.ended:
            if time.monotonic() >= due:
                killed.update(_kill(settings, chance))
                due += seconds
            time.sleep(0.05)
        receipt = job.receipt()
        receipt.verify(receipt.image_id)
        share, _ = repeated(spells(settings.state), profile, PO2, shape.speed)
    return Cost(share, dict(killed))


def _kill(settings: Settings, chance: random.Random) -> list[str]:
    """Kill -9 one process; return what it was, nothing if none of those was there."""
    found = running.status(settings.state)
    pids = {one.name: one.pid for one in found.processes if one.pid} if found else {}
    working = {one.slot: one for one in spells(settings.state) if one.stop is None}
    victims = {
        "executor": [pid for name, pid in pids.items() if name.startswith("execute-")],
        "scheduler": [pid for name, pid in pids.items() if name == "scheduler"],
        "prover": _workers(pids, working, folding=False),
        "folder": _workers(pids, working, folding=True),
    }
    there = [name for name in VICTIMS if victims[name]]
    if not there:
        return []
    kind = chance.choice(there)
    os.kill(chance.choice(victims[kind]), signal.SIGKILL)
    return [kind]


def _workers(pids: dict[str, int], working: dict[str, Spell], *, folding: bool) -> list[int]:
    # One slot a process: they have the same number.
    numbers = [
        slot.rpartition("-")[2]
        for slot, spell in working.items()
        if (spell.verb in _FOLDING) == folding
    ]
    return [pids[f"risc0-{number}"] for number in numbers if f"risc0-{number}" in pids]
