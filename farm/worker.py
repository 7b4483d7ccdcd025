"""Run one worker process: pin it, check its host, announce its slots, consume their queues.

Three kinds: `risc0` proves and folds on one core (and on those it is lent) or on one GPU,
`execute` runs guests, `trace` computes traces. The first two have host children; a pool of threads
lets the next steps fetch their inputs, and the worker answer Flower, while a proof runs. A process
is one slot, but for simulated ones, which may be many.
"""

import importlib
import os
import secrets
import sys
import threading
import warnings
from typing import Any

import psutil
from celery import signals
from celery.exceptions import SecurityWarning

from farm import about, embedded, hosts, logline, memory, pin, queue
from farm.attempt import Worker, current, install, step
from farm.blobs import DirectoryBlobs, RedisBlobs
from farm.children import Children
from farm.errors import BadSetting, HostMismatch
from farm.host import Greeting
from farm.hosts import Host
from farm.presence import Presence
from farm.processes import Machine, risc0_slots
from farm.session import Slot
from farm.settings import Settings
from farm.steps import Hold, Steps
from farm.store import Store

__all__ = ["Worker", "current", "run", "step"]

#: Which task modules a kind of worker knows.
TASKS = {
    "risc0": ("prove", "join", "keccak", "union", "resolve", "wrap"),
    "execute": ("execute",),
    "trace": ("trace",),
}
#: Steps a slot has at once: one at work and one that fetches, or two executions.
THREADS = 2
#: Children of a slot with a device: one has it, one does the next preflight, one waits or stores.
#: With two, a join was over before the preflight of what came after it.
DEVICE_CHILDREN = 3


def run(settings: Settings, *, kind: str, slot: str, slots: int = 1) -> None:
    """Work as one slot, or as several from that one on, until told to stop.

    Raises HostMissing, HostMismatch or KernelMissing when what is compiled cannot be used,
    BadSetting for a kind or slot that cannot be.
    """
    logline.configure()
    made = boot_all(settings, kind, slot, slots)
    install(*made)
    # It warns root of pickle, which is not accepted here.
    warnings.simplefilter("ignore", SecurityWarning)
    for name in TASKS[kind]:
        importlib.import_module(f"farm.tasks.{name}")
    presence = _presence(made)
    # Weak references would let these go at once.
    signals.worker_ready.connect(lambda **_: presence.start(), weak=False)
    signals.worker_shutting_down.connect(lambda **_: made[0].stopping.set(), weak=False)
    app = queue.connect(embedded.urls(settings).broker).Worker(**_options(made))
    try:
        app.start()
    finally:
        presence.stop()
        for one in made:
            one.children.close()
    sys.exit(app.exitcode)


def boot_all(settings: Settings, kind: str, slot: str, count: int) -> list[Worker]:
    """Return the workers of so many slots, which share connections and the order to stop."""
    machine, number = _parts(slot)
    if count > 1 and not settings.simulated:
        raise BadSetting("slots", f"{count} slots in one process are for simulated ones alone")
    first = boot(settings, kind, slot)
    names = [f"{kind}-{machine}-{number + at}" for at in range(1, count)]
    return [first, *(boot(settings, kind, name, first) for name in names)]


def boot(settings: Settings, kind: str, slot: str, like: Worker | None = None) -> Worker:
    """Return the worker of a slot, pinned, its host found and of the right version.

    It shares with the worker `like`, if there is one, what is not a slot's own.
    """
    if kind not in TASKS:
        raise BadSetting("kind", f"{kind!r} is not one of {', '.join(TASKS)}")
    if kind == "trace":
        memory.keep()
        _choose_backend(settings)
    machine, number = _parts(slot)
    # Before this process is pinned to some of them.
    available = pin.cores()
    slots = risc0_slots(settings, here := _machine(available))
    cores, reach = _cores(settings, kind, number, slots, available)
    if cores:
        pin.pin(cores[0])
    children, told = _children(settings, kind, slot, reach)
    own = Slot(
        name=slot,
        kind=kind,
        machine=machine,
        cores=cores,
        po2=_largest(settings, kind, told, here.memory // slots),
        lanes=_lanes(kind, told),
        incarnation=secrets.token_hex(8),
        pid=os.getpid(),
        host=" ".join([told.host, told.mode, *told.features]) if told else "",
        farm=about.version(),
    )
    if like:
        return Worker(own, settings, like.steps, like.blobs, like.scratch, children, like.stopping)
    urls = embedded.urls(settings)
    blobs = hosts.slowed(settings, DirectoryBlobs(settings.state / "blobs"))
    steps, scratch = Steps.at(urls.ledger), RedisBlobs.at(urls.scratch)
    return Worker(own, settings, steps, blobs, scratch, children, threading.Event())


def _choose_backend(settings: Settings) -> None:
    from farm import trace  # with numpy, which no other kind of worker needs

    trace.choose(settings.kernel)


def _parts(slot: str) -> tuple[str, int]:
    # "<kind>-<machine>-<number>"; a machine's name may have dashes of its own.
    machine, _, number = slot.partition("-")[2].rpartition("-")
    if not machine or not number.isdecimal():
        raise BadSetting("slot", f"{slot!r} is not <kind>-<machine>-<number>")
    return machine, int(number)


def _machine(available: list[int]) -> Machine:
    return Machine("", len(available), psutil.virtual_memory().total)


def _largest(settings: Settings, kind: str, told: Greeting | None, memory: int) -> int:
    return hosts.largest(settings, told, memory) if kind == "risc0" and told else 0


def _cores(
    settings: Settings, kind: str, number: int, slots: int, available: list[int]
) -> tuple[list[int], list[int]]:
    """Return the slot's own cores, and those its host children are told of."""
    if kind == "trace":
        return pin.share(number, len(available), available), []
    if kind == "execute" or settings.simulated:  # it is short, and runs where there is room
        return [], []
    own = pin.share(number, slots, available)
    return own, pin.own_first(own, available)


def _children(
    settings: Settings, kind: str, slot: str, cpus: list[int]
) -> tuple[Children, Greeting | None]:
    """Return the children of a slot, and what the first of them says, if there are any.

    A host that cannot be used is found now, not by the first step.
    """
    start = hosts.starter(settings, slot=slot, cpus=cpus)
    if kind == "trace":
        return Children(start, 0), None
    first = _checked(start())
    lanes = _lanes(kind, first.greeting)
    # An execution has no device to wait for, and a core is one child's.
    turns = 1 if kind == "risc0" else lanes
    children = Children(lambda: _checked(start()), lanes, turns)
    children.add(first)
    return children, first.greeting


def _lanes(kind: str, told: Greeting | None) -> int:
    """Return how many host children a slot has: steps that it works on at once."""
    if kind == "risc0" and told:
        return DEVICE_CHILDREN if hosts.has_device(told) else 1
    return THREADS if kind == "execute" else 1


def _checked(child: Host) -> Host:
    if child.greeting.mode == "real" and not {"cpu", "cuda"} & set(child.greeting.features):
        child.close()
        said = f"only {', '.join(child.greeting.features) or 'nothing'}"
        raise HostMismatch(child.binary, said, "a build that proves")
    return child


def _presence(made: list[Worker]) -> Presence:
    steps, slots = made[0].steps, [one.slot for one in made]
    store = Store(made[0].settings.state / "blobs")

    def up() -> None:
        about.claim(steps, store)
        steps.slot_up(*slots)

    return Presence(
        up=up,
        beat=lambda: steps.slot_beat(*slots) is Hold.HELD,
        down=lambda: steps.slot_down(*slots),
        seconds=made[0].settings.beat_seconds,
    )


def _options(made: list[Worker]) -> dict[str, Any]:
    slot, traces = made[0].slot, made[0].slot.kind == "trace"
    return {
        "hostname": f"{slot.name}@{slot.machine}",
        "queues": [name for one in made for name in queue.queues_of(slot.kind, one.slot.name)],
        "pool": "solo" if traces else "threads",
        "concurrency": 1 if traces else sum(max(THREADS, one.slot.lanes) for one in made),
        # Whoever watches from elsewhere turns them on.
        "task_events": made[0].settings.flower and not traces,
        "without_heartbeat": traces,
        "without_gossip": True,
        "without_mingle": True,
        "quiet": True,
        # An event, or a line in the log, costs more than a hundred trace proofs; of simulated
        # steps there are a hundred at once.
        "loglevel": "WARNING" if traces or made[0].settings.simulated else "INFO",
    }
