"""The work of `farm demo`: what is proved, how it is verified, and a row of the table for each."""

import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from farm import locate, show, trace_plain, verify
from farm.cli_trace import witnesses
from farm.client import Farm
from farm.errors import FarmError, HostFailed
from farm.serde import u32, u64, words
from farm.settings import Settings

#: Size of a segment: with ROUNDS, the smallest job of two segments.
PO2 = 16
ROUNDS = 2500
TRACES = 100_000
TRACE_ROUNDS = 20

BLOB = Path(__file__).resolve().parent.parent / "guest" / "blobs" / "fibonacci.bin"

#: After "what".
HEADINGS = ("count", "seconds", "rate", "bytes", "verified")


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    what: str
    count: int
    seconds: float
    bytes: int
    verified: bool
    error: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row as texts."""
        rate = self.count / self.seconds if self.seconds else 0.0
        digits = 0 if rate >= 100 else 2 if rate >= 1 else 4
        seconds, shown = f"{self.seconds:.2f}", f"{rate:,.{digits}f}/s"
        verdict = "yes" if self.verified else f"NO: {self.error or 'wrong'}"
        return self.what, f"{self.count:,}", seconds, shown, f"{self.bytes:,}", verdict


def program() -> bytes:
    """Return the Fibonacci guest; raises FileNotFoundError outside a checkout."""
    return BLOB.read_bytes()


def traces(farm: Farm) -> Row:
    """Prove and verify as many different traces as the demo promises."""
    what = f"trace proofs of fib.v0, {TRACE_ROUNDS} rounds"
    rows = witnesses("fib.v0", TRACES)
    start = time.monotonic()
    try:
        batch = farm.submit_many("fib.v0", TRACE_ROUNDS, rows)
        with show.progress(what) as shown:
            done = batch.wait(progress=shown)
        seconds = time.monotonic() - start
        verified = batch.verify() == TRACES
    except FarmError as error:
        return _failed(what, TRACES, start, error)
    size = sum(column.nbytes for column in (done.outputs, done.steps, done.commitments))
    return Row(what, TRACES, seconds, size, verified)


def receipts(farm: Farm, program: bytes) -> tuple[Row, Row]:
    """Prove the Fibonacci job, then ask for the same again."""
    what = f"RISC Zero Fibonacci, two segments (po2 {PO2})"
    return _receipt(farm, program, what), _receipt(farm, program, "the same again, from the store")


def _receipt(farm: Farm, program: bytes, what: str) -> Row:
    start = time.monotonic()
    try:
        job = farm.submit(program, guest_input(), po2=PO2)
        with show.progress(what) as shown:
            receipt = job.wait(progress=shown)
        seconds = time.monotonic() - start
        found = verify.verify(receipt.bytes, job.status().spec.image_id, farm.settings)
    except FarmError as error:
        return _failed(what, 1, start, error)
    return Row(what, 1, seconds, len(receipt.bytes), found.journal == journal())


def plain(settings: Settings, program: bytes) -> Row:
    """Prove the same with the plain prover of the same build, on all cores of an idle farm."""
    what = "the plain prover, all cores, for comparison"
    start = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="farm-plain-", dir=settings.state) as folder:
            seconds, receipt = _plain(settings, program, Path(folder))
        image = verify.image_id(program, settings)
        right = verify.verify(receipt, image, settings).journal == journal()
    except FarmError as error:
        return _failed(what, 1, start, error)
    return Row(what, 1, seconds, len(receipt), right)


def _plain(settings: Settings, program: bytes, folder: Path) -> tuple[float, bytes]:
    given, stdin, out = folder / "program", folder / "input", folder / "receipt"
    given.write_bytes(program)
    stdin.write_bytes(guest_input())
    paths = {"--program": given, "--input": stdin, "--out": out}
    command: list[str | Path] = [locate.find(settings), "--parent-pid", str(os.getpid()), "plain"]
    command += [word for pair in paths.items() for word in pair]
    command += ["--po2", str(PO2)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise HostFailed("plain", ended.stderr.strip().rpartition("\n")[2])
    return float(json.loads(ended.stdout)["seconds"]), out.read_bytes()


def guest_input() -> bytes:
    """Return the stdin of the demo's job."""
    return words(u64(0), u64(1), u32(ROUNDS))


def journal() -> bytes:
    """Return what the guest must commit: the trace program of the same name gives it too."""
    return trace_plain.prove("fib.v0", ROUNDS, [0, 1]).output.to_bytes(8, "little")


def _failed(what: str, count: int, start: float, error: FarmError) -> Row:
    return Row(what, count, time.monotonic() - start, 0, False, str(error))
