"""What a guest did, whether or not anything of it was proved: frozen values.

Pure. The numbers and references are those kept with the job (`JobView.stats`).
"""

import builtins
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from farm.job import JobSpec
from farm.wire import ExecutedRecord


@dataclass(frozen=True)
class Execution:
    """One run of a guest that ended well."""

    image_id: str
    journal: builtins.bytes = field(repr=False)
    segments: int
    #: "user" cycles are the guest's own; "paging", "reserved" and "total" depend on the size of
    #: segments too.
    cycles: dict[str, int]
    #: How it ended: 0 for halted, and the code it exited with.
    sys_exit: int = 0
    user_exit: int = 0


class Logs(NamedTuple):
    """What a guest wrote to its stdout and stderr; the host keeps 1 MiB of each."""

    stdout: bytes
    stderr: bytes


def arguments(spec: JobSpec) -> dict[str, Any]:
    """Return what a task is told of how a job's guest is to be run."""
    limits = {"cycle_limit": spec.cycle_limit, "input_limit": spec.input_limit}
    how = {"po2": spec.po2, "proved": spec.proved, "receipt": spec.receipt}
    seed = {"seed": spec.seed} if spec.seed else {}
    return {"image_id": spec.image_id, **how, **seed, **limits}


def stats(record: ExecutedRecord) -> dict[str, Any]:
    """Return what is kept with a job of the run of its guest."""
    kept = {"segments": record.segments, "cycles": record.cycles}
    ended = {"sys_exit": record.sys_exit, "user_exit": record.user_exit}
    return kept | ended | {"stdout": record.stdout, "stderr": record.stderr}


def of_stats(image_id: str, journal: bytes, kept: Mapping[str, Any]) -> Execution:
    """Return the run with what was kept of it; numbers that an older farm did not keep are 0."""
    ended = {name: int(kept.get(name, 0)) for name in ("segments", "sys_exit", "user_exit")}
    return Execution(image_id, journal, cycles=dict(kept.get("cycles", {})), **ended)


def written(kept: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return where stdout and stderr are, None where nothing was kept of them."""
    if "stdout" not in kept:
        return None
    return str(kept["stdout"]), str(kept["stderr"])
