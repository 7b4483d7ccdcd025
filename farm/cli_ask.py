"""The commands that ask a farm for proofs: prove, submit, status, receipt."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from farm import cli_print
from farm.errors import BadInput, NoReceipt
from farm.stdin import guest_stdin

if TYPE_CHECKING:
    from farm.client import Farm
    from farm.handle import Job

app = typer.Typer()

Program = Annotated[str, typer.Argument(help="An ELF file or program blob.")]
InputFile = Annotated[
    Path | None, typer.Option(help="The guest's stdin from a file; - is this command's own.")
]
Words = Annotated[
    list[str] | None,
    typer.Option(help='The guest\'s stdin as words for env::read, as in "u64:0 u64:1 u32:10".'),
]
ImageId = Annotated[str | None, typer.Option(help="Refuse a program with another image id.")]
Po2 = Annotated[int | None, typer.Option(help="Size of a segment, as a power of two.")]
CycleLimit = Annotated[int | None, typer.Option(help="Stop a guest that runs longer.")]
Priority = Annotated[int, typer.Option(help="Higher goes first.")]
Deadline = Annotated[float | None, typer.Option(help="Give up after this many seconds.")]
Mode = Annotated[
    str, typer.Option(help="risc0; trace: execute only, and commit to it; execute: nothing more.")
]
Kind = Annotated[str, typer.Option("--receipt", help="succinct, composite or groth16.")]
Relied = Annotated[
    list[str] | None,
    typer.Option("--assumption", help="What the guest may rely on: a receipt's file, or a job."),
]
Joins = Annotated[
    str, typer.Option(help="The open set that it joins; +NAME is shared with other tenants.")
]
Value = Annotated[float, typer.Option(help="What it is worth in that set.")]
Labels = Annotated[
    list[str] | None, typer.Option("--label", help="NAME=VALUE to find it by; may be repeated.")
]
Key = Annotated[str | None, typer.Option(help="Two submissions with one key are one job.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where the receipt goes.")]
Timeout = Annotated[float | None, typer.Option(help="Wait no longer than this, in seconds.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def prove(
    program: Annotated[str, typer.Argument(help="An ELF file or program blob; or: trace.")],
    trace: Annotated[str, typer.Argument(help="After trace: fib.v0 or sha256.v0.")] = "",
    input_file: InputFile = None,
    words: Words = None,
    image_id: ImageId = None,
    po2: Po2 = None,
    cycle_limit: CycleLimit = None,
    priority: Priority = 0,
    deadline: Deadline = None,
    mode: Mode = "risc0",
    kind: Kind = "succinct",
    assumption: Relied = None,
    output: Output = None,
    timeout: Timeout = None,
    count: Annotated[int, typer.Option(min=0, help="How many trace proofs.")] = 1,
    rounds: Annotated[int, typer.Option(help="Rounds of each fib.v0.")] = 20,
    json: Json = False,
) -> None:
    """Prove PROGRAM and wait for its receipt: `farm prove fib.bin --words "u64:0 u64:1 u32:10"`.

    Or make trace proofs, for development: `farm prove trace fib.v0 --count 100000`.
    """
    with _farm() as farm:
        if program == "trace":
            from farm.cli_trace import prove_traces

            prove_traces(farm, trace, count, rounds, timeout, json=json)
            return
        limits = {"po2": po2, "cycle_limit": cycle_limit, "deadline": unix(deadline)}
        given = {"image_id": image_id, "priority": priority, "mode": mode, "receipt": kind}
        stdin = guest_stdin(input_file, words)
        job = _submit(farm, program, stdin, assumption, limits | given)
        show = _execution if mode == "execute" else _receipt
        show(job, output, timeout, json=json)


@app.command()
def submit(
    program: Program,
    input_file: InputFile = None,
    words: Words = None,
    image_id: ImageId = None,
    po2: Po2 = None,
    cycle_limit: CycleLimit = None,
    priority: Priority = 0,
    deadline: Deadline = None,
    mode: Mode = "risc0",
    kind: Kind = "succinct",
    assumption: Relied = None,
    key: Key = None,
    aggregate: Joins = "",
    value: Value = 0.0,
    label: Labels = None,
    json: Json = False,
) -> None:
    """Hand PROGRAM to the farm and print the job's id; `farm receipt` fetches the receipt."""
    with _farm() as farm:
        limits = {"po2": po2, "cycle_limit": cycle_limit, "deadline": unix(deadline)}
        given = {"image_id": image_id, "priority": priority, "mode": mode, "receipt": kind}
        stdin = guest_stdin(input_file, words)
        joins = {"idempotency_key": key, "aggregate": aggregate, "value": value}
        labels = {"labels": dict(map(_pair, label or ()))}
        job = _submit(farm, program, stdin, assumption, limits | given | joins | labels)
        cli_print.data({"job": job.id}, job.id, json=json)


@app.command()
def receipt(
    job: Annotated[str, typer.Argument(help="A job's id.")],
    output: Output = None,
    timeout: Timeout = None,
    json: Json = False,
) -> None:
    """Wait for JOB, verify its receipt, print its journal and write the receipt to a file."""
    with _farm() as farm:
        _receipt(farm.job(job), output, timeout, json=json)


@app.command()
def status(
    job: Annotated[str, typer.Argument(help="A job's id; without it, the whole farm.")] = "",
    json: Json = False,
) -> None:
    """Show what the farm is doing, or where JOB is."""
    with _farm() as farm:
        if job.startswith("b"):
            cli_print.batch(farm.ledger.trace_view(job), json=json)
        elif job:
            cli_print.job(farm.job(job).status(), json=json)
        else:
            cli_print.farm(farm.ledger.slots(), farm.jobs(20), json=json)


def _farm() -> "Farm":
    # Loading it takes longer than most other commands, the farm's own processes among them.
    from farm.client import Farm

    return Farm()


def _submit(
    farm: "Farm", program: str, stdin: bytes, relied: list[str] | None, given: dict[str, Any]
) -> "Job":
    return farm.submit(Path(program), stdin, assumptions=receipts(relied or []), **given)


def receipts(names: Sequence[str]) -> list[bytes | str]:
    """Return the receipts in files of these names, and what are no files as they are: jobs."""
    return [_receipt_of(name) for name in names]


def _receipt_of(name: str) -> bytes | str:
    file = Path(name)
    try:
        return file.read_bytes() if file.exists() else name
    except OSError as error:
        raise BadInput(f"cannot read {name} ({error.strerror})") from error


def _execution(job: "Job", output: Path | None, timeout: float | None, *, json: bool) -> None:
    from farm import show

    if output:
        raise NoReceipt(job.id)
    with show.progress(job.id, quiet=json) as shown:
        found = job.result(timeout, shown)
    cli_print.execution(found, job.id, json=json)


def _receipt(job: "Job", output: Path | None, timeout: float | None, *, json: bool) -> None:
    from farm import show

    with show.progress(job.id, quiet=json) as shown:
        found = job.wait(timeout, shown)
    if output:
        found.save(output)
    cli_print.receipt(found, job.id, str(output or ""), json=json)


def unix(seconds: float | None) -> float | None:
    """Return the unix time so many seconds from now; None for never."""
    return None if seconds is None else time.time() + seconds


def _pair(label: str) -> tuple[str, str]:
    name, equals, value = label.partition("=")
    if not (name and equals):
        raise BadInput(f"label: {label!r} is not NAME=VALUE")
    return name, value
