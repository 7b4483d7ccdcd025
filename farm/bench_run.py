"""Run every part of the reference benchmark, one after the other, on an otherwise idle machine."""

from collections.abc import Callable

from farm import (
    bench_cache,
    bench_edges,
    bench_models,
    bench_proofs,
    bench_risc0,
    bench_threads,
)
from farm.bench_row import Curve, Found, Row

#: Each part gets the seconds it may take, about.
PARTS: dict[str, Callable[[float], Found]] = {
    "single proofs": bench_proofs.single,
    "30 proofs by policy": bench_proofs.thirty,
    "estimates": bench_models.estimates,
    "thresholds": bench_models.thresholds,
    "cache by hit rate": bench_cache.table,
    "cache by capacity": bench_cache.capacity,
    "throughput by threads": bench_threads.throughput,
    "edge cases": bench_edges.edges,
    "RISC0": bench_risc0.risc0,
}


def measured(seconds: float, say: Callable[[str], object]) -> Found:
    """Return all rows and curves; `say` is told which part begins."""
    rows: list[Row] = []
    curves: list[Curve] = []
    for name, part in PARTS.items():
        say(name)
        found = part(seconds)
        rows += found.rows
        curves += found.curves
    return Found(rows, curves)
