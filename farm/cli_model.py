"""The command that shows what the farm has learned of costs: `farm model`."""

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
import typer

from farm import cli_print, thresholds
from farm.cost import CostModel
from farm.terms import Features
from farm.thresholds import Threshold

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

#: What thresholds are of.
_PAYS = {
    "cache": "kept RISC0 answers pay from so many on",
    "serial": "no second core makes faster",
    "wide": "two steps: one after another on all cores if the shorter takes less than",
    "batch": "equal RISC0 jobs: one execution for all saves a tenth from so many on",
}


@app.command()
def model(json: Json = False) -> None:
    """Show what steps cost, as learned from those that ran, and from where on what pays."""
    from farm.client import Farm

    with Farm() as farm:
        found = farm.ledger.models()
    facts, pays = [_facts(one) for one in found.values()], thresholds.thresholds(found)
    lines = [*_lines(facts)] or ["no step has been measured yet"]
    text = "\n".join([*lines, *_pays(pays)])
    cli_print.data({"models": facts, "thresholds": pays}, text, json=json)


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


def _pays(found: list[Threshold]) -> Iterator[str]:
    for name, what in _PAYS.items():
        yield f"{name}: {what}"
        for one in found:
            if one.name == name:
                value = "never" if one.value is None else f"{one.value:.2g} {one.unit}"
                yield f"  {one.size:<26}{value}" + ("" if one.learned else ", a guess")


def _time(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"
