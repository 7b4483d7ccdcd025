"""`farm prove trace`: make trace proofs of numbered witnesses, and check some of them."""

import time
from typing import Any

import typer

from farm import cli_print, show
from farm.client import Farm
from farm.errors import BadTrace

#: Up to this many proofs are printed one by one.
FEW = 10
#: Share of the proofs that is computed again, at least one.
SAMPLE = 0.01


def witnesses(program: str, count: int) -> list[list[int]]:
    """Return `count` witnesses, all different; the first of fib.v0 is 0, 1."""
    return [[row, 1] if program == "fib.v0" else [row] for row in range(count)]


def prove_traces(
    farm: Farm, program: str, count: int, rounds: int, timeout: float | None, *, json: bool
) -> None:
    """Make `count` proofs, verify a sample, print them if they are few and a summary."""
    rows = witnesses(program, count)
    start = time.monotonic()
    batch = farm.submit_many(program, rounds, rows)
    with show.progress(f"{count} x {program}", quiet=json) as shown:
        done = batch.wait(timeout, shown)
    seconds = time.monotonic() - start
    failed = int((done.codes != 0).sum())
    verified = batch.verify(SAMPLE)
    items = [_item(row) for row in batch] if count <= FEW else []
    lines = [" ".join(f"{name} {value}" for name, value in item.items()) for item in items]
    made = count - failed
    lines.append(f"{made} proofs in {seconds:.2f} s, {made / seconds:,.0f}/s, {verified} verified")
    facts: dict[str, Any] = {
        "program": program,
        "count": count,
        "failed": failed,
        "seconds": round(seconds, 3),
        "verified": verified,
        "proofs": items,
    }
    cli_print.data(facts, "\n".join(lines), json=json)
    if failed:
        raise typer.Exit(1)


def _item(row: Any) -> dict[str, Any]:
    if isinstance(row, BadTrace):
        return {"error": str(row)}
    return {"output": row.output, "steps": row.steps, "commitment": row.commitment.hex()}
