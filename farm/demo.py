"""Show a farm at work: start one, prove, verify everything, compare, stop it, leave nothing."""

import contextlib
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.table import Table

from farm import background, demo_work, flower, verify
from farm import settings as config
from farm.client import Farm
from farm.demo_work import PO2, Row
from farm.errors import HostError, HostMismatch
from farm.running import Status
from farm.settings import Settings

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
#: Columns that the table needs where there is no terminal.
WIDTH = 120


def run(*, compare: bool) -> bool:
    """Run the demo; return whether every row of its table was verified."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    with _interruptible(), _state() as state:
        settings = _settings(state)
        console.print("starting a farm ...")
        with _farm_up(settings) as status, Farm(settings=settings) as farm:
            where = _flower(status)
            console.print(f"the farm is up; {where}")
            rows, notes = _rows(farm, settings, compare=compare)
    _print(rows, [*notes, where])
    return bool(rows) and all(row.verified for row in rows)


def _rows(farm: Farm, settings: Settings, *, compare: bool) -> tuple[list[Row], list[str]]:
    rows = [demo_work.traces(farm)]
    try:
        _check_prover(settings)
        program = demo_work.program()
    except (HostError, FileNotFoundError) as error:
        return rows, [f"RISC Zero proofs are left out: {error}"]
    proof, again = demo_work.receipts(farm, program)
    rows += [proof, again]
    if not compare or not proof.verified:
        return rows, []
    plain = demo_work.plain(settings, program)
    ratio = proof.seconds / plain.seconds if plain.seconds else 0.0
    versus = f"farm {proof.seconds:.1f} s, plain prover {plain.seconds:.1f} s, ratio {ratio:.3f}"
    return [*rows, plain], [versus]


def _check_prover(settings: Settings) -> None:
    """Raise HostMissing or HostMismatch where there is no host that proves."""
    with verify.host(settings) as child:
        features = child.greeting.features
    if not {"cpu", "cuda"} & set(features):
        raise HostMismatch(child.binary, f"only {', '.join(features)}", "a build that proves")


def _settings(state: Path) -> Settings:
    """Return the settings of a farm that nobody else uses."""
    own = {"ledger_url": "", "broker_url": "", "scratch_url": "", "api": False}
    return config.load(state=state, segment_po2=PO2, flower_port=_free_port(), **own)


def _free_port() -> int:
    for port in (config.load().flower_port, 0):
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((flower.ADDRESS, port))
            return int(probe.getsockname()[1])
    return 0


@contextlib.contextmanager
def _state() -> Iterator[Path]:
    state = Path(tempfile.mkdtemp(prefix="farm-demo-"))
    try:
        yield state
    finally:
        shutil.rmtree(state, ignore_errors=True)


@contextlib.contextmanager
def _farm_up(settings: Settings) -> Iterator[Status]:
    try:
        yield background.start(settings, leashed=True)
    finally:
        _ignore_signals()
        background.stop(settings, now=True)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Let a signal that ends programs end this one as Ctrl-C does: by way of every `finally`."""
    before = [signal.signal(kind, _interrupt) for kind in SIGNALS]
    try:
        yield
    finally:
        for kind, handler in zip(SIGNALS, before, strict=True):
            signal.signal(kind, handler)


def _interrupt(number: int, frame: object) -> NoReturn:
    _ignore_signals()
    raise KeyboardInterrupt


def _ignore_signals() -> None:
    """Put away what was started in peace: an impatient second Ctrl-C would leave it running."""
    for kind in SIGNALS:
        signal.signal(kind, signal.SIG_IGN)


def _flower(status: Status) -> str:
    if not status.flower:
        return "Flower is off"
    return f"Flower: {status.flower} (user {flower.USER}, password in {status.flower_password})"


def _print(rows: list[Row], notes: list[str]) -> None:
    table = Table("what")
    for heading in demo_work.HEADINGS:
        table.add_column(heading, justify="left" if heading == "verified" else "right")
    for row in rows:
        table.add_row(*row.cells())
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)
