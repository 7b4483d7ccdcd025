"""Check this machine: its Python, the compiled parts, memory against slots, room on the disk."""

import platform
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from farm import about, locate, pin, verify
from farm.errors import HostMissing, KernelMissing
from farm.finding import Finding, ok, warn
from farm.finding import bad as broken
from farm.processes import Machine, risc0_slots
from farm.segment_size import held, peak_bytes
from farm.settings import PO2, Settings

#: Room on the disk, in bytes, below which the farm is about to stop, or should be looked after.
NO_ROOM, LITTLE_ROOM = 1 << 30, 10 << 30


def system(settings: Settings) -> Iterator[Finding]:
    """Yield what runs here."""
    kernel = f"{platform.system()} {platform.release()}"
    said = f"{kernel}, Python {platform.python_version()}, farm {about.version()}"
    yield ok("system", said)


def host(settings: Settings) -> Iterator[Finding]:
    """Yield what proves RISC0 here."""
    try:
        with verify.host(settings) as child:
            told = child.greeting
    except HostMissing as error:
        report = broken if settings.host else warn
        yield report("host", f"{error}: no RISC0 proofs here, traces work", "make host")
        return
    said = f"farm-host {told.host}, zkVM {told.zkvm}: {', '.join(told.features)}"
    said += f" at {locate.find(settings)}"
    if told.mode == "real" and not {"cpu", "cuda"} & set(told.features):
        yield warn("host", f"{said}: it only verifies", "make host")
    else:
        yield ok("host", said)


def kernel(settings: Settings) -> Iterator[Finding]:
    """Yield what proves traces here."""
    from farm.kernel import Kernel  # with numpy, which most commands do without

    if settings.kernel == "numpy":
        yield ok("kernel", "numpy proves traces, as it was set")
        return
    try:
        path = locate.kernel(settings.kernel)
        Kernel(path)
    except KernelMissing as error:
        report = broken if settings.kernel else warn
        yield report("kernel", f"{error.facts[1]}: numpy proves traces, slower", "make kernel")
        return
    yield ok("kernel", path)


def memory(settings: Settings) -> Iterator[Finding]:
    """Yield whether the proofs that may run side by side fit into memory."""
    total, cores = psutil.virtual_memory().total, len(pin.cores())
    machine = Machine("", cores, total)
    slots, po2 = risc0_slots(settings, machine), settings.segment_po2
    if isinstance(po2, str):
        po2 = held(total // slots)
    peak = peak_bytes(po2)
    needed = f"{slots} x {_size(peak)} for proofs at po2 {po2}"
    said = f"{needed}, {_size(total)} here"
    if slots * peak > total:
        fewer = risc0_slots(settings.model_copy(update={"slots": 0}), machine)
        step = f"set FARM_SLOTS={fewer} or a smaller FARM_SEGMENT_PO2"
        yield broken("memory", f"{said}: proofs will be killed", step)
    elif settings.slots == 0 and slots < cores and po2 == settings.segment_po2:
        # Where it is chosen, larger segments are worth more than a slot for each core.
        step = f"set FARM_SEGMENT_PO2={max(PO2[1], po2 - 1)} to use more, or auto"
        yield warn("memory", f"{said}: {cores - slots} of {cores} cores have no slot", step)
    else:
        yield ok("memory", said)


def disk(settings: Settings) -> Iterator[Finding]:
    """Yield how much room the state folder has."""
    usage = shutil.disk_usage(_existing(settings.state))
    said = f"{_size(usage.free)} of {_size(usage.total)} free for {settings.state}"
    step = "make room, or keep less (FARM_KEEP_BYTES, `farm sweep`)"
    if usage.free < NO_ROOM:
        yield broken("disk", said, step)
    elif usage.free < LITTLE_ROOM:
        yield warn("disk", said, step)
    else:
        yield ok("disk", said)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _size(count: int) -> str:
    for size, unit in ((1 << 40, "TiB"), (1 << 30, "GiB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count / (1 << 20):.0f} MiB"
