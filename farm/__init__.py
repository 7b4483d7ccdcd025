"""Proofs from a farm: `Farm().submit(program, input).wait().verify(image_id)`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from farm import errors
    from farm.aio import AsyncBatch, AsyncFarm, AsyncJob, AsyncTraceJob
    from farm.batch import Batch
    from farm.client import Farm
    from farm.columns import Outputs
    from farm.errors import FarmError
    from farm.execution import Execution, Logs
    from farm.handle import Job
    from farm.lot import TraceJob
    from farm.receipt import Receipt
    from farm.serde import (
        char,
        f32,
        f64,
        i32,
        i64,
        i128,
        packed,
        some,
        u32,
        u64,
        u128,
        variant,
        words,
    )
    from farm.settings import Settings
    from farm.trace_plain import TraceProof

__all__ = [
    "AsyncBatch",
    "AsyncFarm",
    "AsyncJob",
    "AsyncTraceJob",
    "Batch",
    "Execution",
    "Farm",
    "FarmError",
    "Job",
    "Logs",
    "Outputs",
    "Receipt",
    "Settings",
    "TraceJob",
    "TraceProof",
    "char",
    "errors",
    "f32",
    "f64",
    "i32",
    "i64",
    "i128",
    "packed",
    "some",
    "u32",
    "u64",
    "u128",
    "variant",
    "words",
]

_HOMES = {
    "farm.aio": ("AsyncBatch", "AsyncFarm", "AsyncJob", "AsyncTraceJob"),
    "farm.batch": ("Batch",),
    "farm.client": ("Farm",),
    "farm.columns": ("Outputs",),
    "farm.errors": ("FarmError",),
    "farm.execution": ("Execution", "Logs"),
    "farm.handle": ("Job",),
    "farm.lot": ("TraceJob",),
    "farm.receipt": ("Receipt",),
    "farm.settings": ("Settings",),
    "farm.trace_plain": ("TraceProof",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Every process of the farm imports this package: what it does not use is not loaded.
    if name == "errors":
        return import_module("farm.errors")
    if name in __all__:
        return getattr(import_module(_HOME.get(name, "farm.serde")), name)
    raise AttributeError(f"module 'farm' has no attribute {name!r}")
