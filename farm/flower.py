"""Where the farm's Flower is, who may see it, and what it shows. Running it: flower_site.py."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from farm.settings import Settings

ADDRESS = "127.0.0.1"
USER = "farm"

#: What `str(StepMessage)` looks like: "job j12 prove 3-4 width 2".
STEP = re.compile(r"job (?P<job>\S+) (?P<kind>[\w-]+)(?: (?P<span>\d+-\d+))?")


class Shown(Protocol):
    """The part of Celery's event task that is read and changed here."""

    name: str
    args: object
    kwargs: object


AnyTask = TypeVar("AnyTask", bound=Shown)


def url(settings: Settings) -> str:
    """Return the address of the pages."""
    return f"http://{ADDRESS}:{settings.flower_port}"


def password_file(settings: Settings) -> Path:
    """Return the file that holds the password of USER."""
    return settings.state / "flower" / "password"


def format_task(task: AnyTask) -> AnyTask:
    """Return the task named by what it does: "prove 3-4 of j12" instead of "prove"."""
    if found := STEP.search(f"{task.args} {task.kwargs}"):
        task.name = " ".join(filter(None, (found["kind"], found["span"], "of", found["job"])))
    return task


def options(settings: Settings, password: str) -> dict[str, Any]:
    """Return Flower's options by name."""
    show: Callable[[Shown], Shown] = format_task
    return {
        "address": ADDRESS,
        "port": settings.flower_port,
        "basic_auth": [f"{USER}:{password}"],
        "read_only": True,
        "max_tasks": 5000,
        "purge_offline_workers": 60,
        # Else Flower has every worker send an event per task; trace workers must not.
        "enable_events": False,
        "format_task": show,
        "tasks_columns": "name,state,kwargs,received,started,runtime,worker",
    }
