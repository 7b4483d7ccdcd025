"""The command that shows what the farm has learned of costs: `farm model`."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from farm import cli_print
from farm.cost import CostModel
from farm.terms import Features

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

#: Sizes that say something to a reader: single proofs, a chunk; segments, and more than one core.
_TRACE = {
    "100 steps": Features(rows=1, steps=100),
    "1,000 steps": Features(rows=1, steps=1_000),
    "10,000 x 50 steps": Features(rows=10_000, steps=500_000),
}
_SEGMENTS = {
    "2^16": Features(po2=16),
    "2^20": Features(po2=20),
    "2^20 on 2 cores": Features(po2=20, width=2),
}
_EXECUTION = {"2^24 cycles": Features(cycles=1 << 24)}
_FOLD = {"1 core": Features(), "2 cores": Features(width=2)}


@app.command()
def model(json: Json = False) -> None:
    """Show what steps cost, as learned from those that ran: predictions, and how far they err."""
    from farm.client import Farm

    with Farm() as farm:
        found = farm.ledger.models()
    facts = [_facts(one) for one in found.values()]
    text = "\n".join(_lines(facts)) or "no step has been measured yet"
    cli_print.data(facts, text, json=json)


def _facts(one: CostModel) -> dict[str, Any]:
    return {
        "name": one.name,
        "observations": one.count,
        "error": one.error,
        "predictions": [
            {"size": size, **msgspec.to_builtins(features), "seconds": one.predict(features)}
            for size, features in _sizes(one.name).items()
        ],
    }


def _sizes(name: str) -> dict[str, Features]:
    kind, verb, *_ = name.split("/")
    if kind == "trace":
        return _TRACE
    return {"execute": _EXECUTION, "prove": _SEGMENTS}.get(verb, _FOLD)


def _lines(facts: list[dict[str, Any]]) -> Iterator[str]:
    for one in facts:
        error = "" if one["error"] is None else f", error {one['error']:.1%}"
        yield f"{one['name']}: {one['observations']:,} observations{error}"
        for found in one["predictions"]:
            yield f"  {found['size']:<18}{_time(found['seconds']):>10}"


def _time(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
