"""Have a farm of simulated GPUs do jobs: submit each at its time, wait for all, say what became."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import own
from simulated_jobs import PO2, Work
from simulated_record import Spell, spells

from farm import Farm, Job
from farm.job import JobView, State
from farm.settings import Settings

PROGRAM = b"a program that is never run"
#: Seconds between two looks at whether all jobs have ended.
LOOK = 0.5


class Shape(NamedTuple):
    """How big a farm is, and how fast its clock runs."""

    profile: str = "rtx5090"
    cards: int = 100
    together: int = 10
    executors: int = 10
    speed: float = 1.0


class Done(NamedTuple):
    """What became of the jobs, by label, and what the cards did."""

    jobs: dict[str, JobView]
    spells: list[Spell]


@contextlib.contextmanager
def farm(shape: Shape, **given: object) -> Iterator[Settings]:
    """Yield the settings of a farm of this shape that is up."""
    settings = {
        "simulated": shape.profile,
        "simulated_speed": shape.speed,
        "slots": shape.cards,
        "slots_per_process": shape.together,
        "executors": shape.executors,
        # A check takes its time here, too; two real cores' worth of them are asked for.
        "verifiers": 4,
        "trace_slots": 1,
        "segment_po2": PO2,
    }
    with own.farm(**settings | given) as found:
        yield found


def run(
    settings: Settings, works: list[Work], speed: float, meanwhile: Callable[[], object] = lambda: 0
) -> Done:
    """Return what became of jobs that were submitted each at its time; ends with their last.

    `meanwhile` is called every `LOOK` seconds. A job that does not succeed ends the measurement.
    """
    with contextlib.ExitStack() as stack:
        farms = {
            tenant: stack.enter_context(
                Farm(settings=settings.model_copy(update={"namespace": tenant}))
            )
            for tenant in {work.tenant for work in works}
        }
        jobs = _submit(farms, works, speed, meanwhile)
        one = next(iter(farms.values()))
        while one.ledger.client.scard("farm:open"):
            meanwhile()
            time.sleep(LOOK)
        found = {label: job.status() for label, job in jobs.items()}
    for label, view in found.items():
        if view.state is not State.SUCCEEDED:
            raise SystemExit(f"{label}: {view.state}, {view.error()}")
    return Done(found, [one for one in spells(settings.state) if one.label in found])


def _submit(
    farms: dict[str, Farm], works: list[Work], speed: float, meanwhile: Callable[[], object]
) -> dict[str, Job]:
    began, jobs = time.monotonic(), {}
    for work in works:
        while (left := began + work.at / speed - time.monotonic()) > 0:
            meanwhile()
            time.sleep(min(left, LOOK))
        stdin = json.dumps({"label": work.label, "segments": work.segments}).encode()
        jobs[work.label] = farms[work.tenant].submit(PROGRAM, stdin)
    return jobs


def took(view: JobView) -> float:
    """Return the seconds from acceptance to receipt."""
    return view.finished - view.created
