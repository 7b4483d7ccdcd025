"""Which processes make a farm on one machine. Pure: settings and the machine in, a table out."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from farm.segment_size import side_by_side
from farm.settings import Settings


class Stage(IntEnum):
    """Processes of one stage start and stop together; stages stop in reverse order."""

    SERVER = 0
    FLOWER = 1
    SCHEDULER = 2
    WORKER = 3
    API = 4


@dataclass(frozen=True, slots=True)
class Process:
    """One process to keep running."""

    name: str
    command: tuple[str, ...]
    stage: Stage
    #: The slot it answers as, when it is a worker; the first of several.
    slot: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """What slots are counted from."""

    name: str
    cores: int
    memory: int


def table(settings: Settings, machine: Machine, *, proving: bool) -> tuple[Process, ...]:
    """Return all processes but the servers; `proving` tells whether there is a farm-host."""
    found = [
        Process(name, _farm(name), Stage.SCHEDULER)
        for name in ("scheduler", *["sweeper"] * (settings.sweep_minutes > 0))
    ]
    if proving:
        # A simulated slot uses next to nothing of this machine: many share a process.
        together = max(1, settings.slots_per_process) if settings.simulated else 1
        found += _workers("risc0", risc0_slots(settings, machine), machine, together)
        found += _workers("execute", settings.executors, machine, together)
    if settings.api:
        found.append(Process("api", _farm("api"), Stage.API))
    found += _workers("trace", settings.trace_slots or machine.cores, machine)
    if settings.flower:
        found.append(Process("flower", _farm("flower"), Stage.FLOWER))
    return tuple(found)


def risc0_slots(settings: Settings, machine: Machine) -> int:
    """Return how many proofs may run side by side: one a core, while the memory lasts."""
    if settings.simulated:
        return settings.slots or machine.cores
    return settings.slots or side_by_side(settings.segment_po2, machine.cores, machine.memory)


def machine_name(settings: Settings, host: str) -> str:
    """Return what slot ids call this machine: the operator's word, else its short host name."""
    short = settings.machine or host.split(".")[0]
    return re.sub(r"[^a-z0-9]+", "-", short.lower()).strip("-") or "machine"


def _workers(kind: str, count: int, machine: Machine, together: int = 1) -> Iterator[Process]:
    for number, first in enumerate(range(0, count, together)):
        slot, slots = f"{kind}-{machine.name}-{first}", min(together, count - first)
        command = _farm("worker", "--kind", kind, "--slot", slot)
        if slots > 1:
            command += ("--slots", str(slots))
        yield Process(f"{kind}-{number}", command, Stage.WORKER, slot)


def _farm(*words: str) -> tuple[str, ...]:
    # -P: a folder called `farm` where the user stands is not this library.
    return (sys.executable, "-P", "-m", "farm", *words)
