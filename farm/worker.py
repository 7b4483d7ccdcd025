"""Run one worker process: pin it, check its host, announce its slot, consume its queues.

Three kinds: `risc0` proves and folds on one core (and on those it is lent), `execute` runs
guests, `trace` computes traces. The first two have host children; a pool of two threads lets
the next step fetch its inputs, and the worker answer Flower, while a proof runs.
"""

import importlib
import os
import secrets
import sys
import warnings
from typing import Any

import psutil
from celery import signals
from celery.exceptions import SecurityWarning

from farm import embedded, locate, logline, memory, pin, queue
from farm.attempt import Worker, current, install, step
from farm.blobs import DirectoryBlobs, RedisBlobs
from farm.children import Children
from farm.errors import BadSetting, HostMismatch
from farm.host import HostChild
from farm.presence import Presence
from farm.processes import Machine, risc0_slots
from farm.session import Slot
from farm.settings import Settings
from farm.steps import Hold, Steps

__all__ = ["Worker", "current", "run", "step"]

#: Which task modules a kind of worker knows.
TASKS = {"risc0": ("prove", "join", "resolve"), "execute": ("execute",), "trace": ("trace",)}
#: Steps a kind of worker has at once: one at work and one that fetches, or two executions.
THREADS = 2
#: How many host children those share.
CHILDREN = {"risc0": 1, "execute": THREADS, "trace": 0}


def run(settings: Settings, *, kind: str, slot: str) -> None:
    """Work as one slot until told to stop.

    Raises HostMissing, HostMismatch or KernelMissing when what is compiled cannot be used,
    BadSetting for a kind or slot that cannot be.
    """
    logline.configure()
    made = boot(settings, kind, slot)
    install(made)
    # It warns root of pickle, which is not accepted here.
    warnings.simplefilter("ignore", SecurityWarning)
    for name in TASKS[kind]:
        importlib.import_module(f"farm.tasks.{name}")
    presence = _presence(made)
    # Weak references would let these go at once.
    signals.worker_ready.connect(lambda **_: presence.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: made.stopping.set(), weak=False)
    app = queue.connect(embedded.urls(settings).broker).Worker(**_options(made))
    try:
        app.start()
    finally:
        presence.stop()
        made.children.close()
    sys.exit(app.exitcode)


def boot(settings: Settings, kind: str, slot: str) -> Worker:
    """Return the worker of a slot, pinned, its host found and of the right version."""
    if kind not in TASKS:
        raise BadSetting("kind", f"{kind!r} is not one of {', '.join(TASKS)}")
    if kind == "trace":
        memory.keep()
        _choose_backend(settings)
    machine, number = _parts(slot)
    cores, reach = _cores(settings, kind, number)
    if cores:
        pin.pin(cores[0])
    children = Children(lambda: _child(settings, reach), CHILDREN[kind])
    urls = embedded.urls(settings)
    return Worker(
        slot=Slot(
            name=slot,
            kind=kind,
            machine=machine,
            cores=cores,
            lanes=CHILDREN[kind] or 1,
            incarnation=secrets.token_hex(8),
            pid=os.getpid(),
            # A host that cannot be used is found now, not by the first step.
            host=_version(children.start_one()) if CHILDREN[kind] else "",
        ),
        settings=settings,
        steps=Steps.at(urls.ledger),
        blobs=DirectoryBlobs(settings.state / "blobs"),
        scratch=RedisBlobs.at(urls.scratch),
        children=children,
    )


def _choose_backend(settings: Settings) -> None:
    from farm import trace  # with numpy, which no other kind of worker needs

    trace.choose(settings.kernel)


def _parts(slot: str) -> tuple[str, int]:
    # "<kind>-<machine>-<number>"; a machine's name may have dashes of its own.
    machine, _, number = slot.partition("-")[2].rpartition("-")
    if not machine or not number.isdecimal():
        raise BadSetting("slot", f"{slot!r} is not <kind>-<machine>-<number>")
    return machine, int(number)


def _cores(settings: Settings, kind: str, number: int) -> tuple[list[int], list[int]]:
    """Return the slot's own cores, and those its host children are told of."""
    available = pin.cores()
    if kind == "execute":  # it is short, and runs where there is room
        return [], []
    if kind == "trace":
        return pin.share(number, len(available), available), []
    machine = Machine("", len(available), psutil.virtual_memory().total)
    own = pin.share(number, risc0_slots(settings, machine), available)
    return own, pin.own_first(own, available)


def _child(settings: Settings, cpus: list[int]) -> HostChild:
    child = HostChild(locate.find(settings), cpus=cpus, replay=settings.replay)
    if child.greeting.mode == "real" and not {"cpu", "cuda"} & set(child.greeting.features):
        child.close()
        said = f"only {', '.join(child.greeting.features) or 'nothing'}"
        raise HostMismatch(child.binary, said, "a build that proves")
    return child


def _version(child: HostChild) -> str:
    told = child.greeting
    return " ".join([told.host, told.mode, *told.features])


def _presence(made: Worker) -> Presence:
    def beat() -> bool:
        return made.steps.slot_beat(made.slot) is Hold.HELD

    return Presence(
        up=lambda: made.steps.slot_up(made.slot),
        beat=beat,
        down=lambda: made.steps.slot_down(made.slot),
        seconds=made.settings.beat_seconds,
    )


def _options(made: Worker) -> dict[str, Any]:
    slot, traces = made.slot, made.slot.kind == "trace"
    return {
        "hostname": f"{slot.name}@{slot.machine}",
        "queues": queue.queues_of(slot.kind, slot.name),
        "pool": "solo" if traces else "threads",
        "concurrency": 1 if traces else THREADS,
        "task_events": not traces,
        "without_heartbeat": traces,
        "without_gossip": True,
        "without_mingle": True,
        "quiet": True,
        # An event, or a line in the log, costs more than a hundred trace proofs.
        "loglevel": "WARNING" if traces else "INFO",
    }
