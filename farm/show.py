"""Show what takes long: a progress bar on a terminal, a plain line now and then elsewhere."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from farm import follow
from farm.job import Change

#: Seconds between two plain lines that say no more than how far it is.
CALM = 10.0


@contextlib.contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[follow.Progress]:
    """Give a function that shows each change of a job or batch; data goes to stdout, not this."""
    console = Console(stderr=True)
    if quiet:
        yield lambda change: None
    elif console.is_terminal:
        with _bar(console) as bar:
            yield _Bar(bar, label)
    else:
        yield _Lines(console, label)


def text(change: Change) -> str:
    """Return how far a job or batch is, in words."""
    if change.state.ended:
        return change.text or change.state.lower()
    if change.done:
        return f"{change.done} of {change.segments} chunks"
    if not (change.proved or change.keccaks_proved) and (change.text or not change.segments):
        return change.text or change.state.lower()
    return f"{_counts(change)}: {change.text}" if change.text else _counts(change)


def _counts(change: Change) -> str:
    # While the guest runs, nobody knows how many there will be.
    of = "of" if change.segments_known else "of at least"
    parts = [f"segments {change.proved} {of} {change.segments}"]
    if change.keccaks:
        parts.append(f"keccaks {change.keccaks_proved} {of} {change.keccaks}")
    folds = f" of {change.folds_due}" if change.folds_due else ""
    return ", ".join([*parts, f"folds {change.folds}{folds}"])


def share(change: Change) -> tuple[int, int | None]:
    """Return how many steps are done and of how many; None while that is not known."""
    if change.done:
        return change.done, change.segments
    done = change.proved + change.keccaks_proved + change.folds
    total = change.segments + change.keccaks + change.folds_due
    return done, total if change.segments_known else None


def _bar(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    return Progress(*columns, TextColumn("{task.fields[text]}"), console=console, transient=True)


class _Bar:
    def __init__(self, bar: Progress, label: str) -> None:
        self._bar = bar
        self._task = bar.add_task(label, total=None, text="submitted")

    def __call__(self, change: Change) -> None:
        done, total = share(change)
        self._bar.update(self._task, completed=done, total=total, text=text(change))


class _Lines:
    def __init__(self, console: Console, label: str) -> None:
        self._console, self._label = console, label
        self._said, self._at = "", -CALM

    def __call__(self, change: Change) -> None:
        line, now = text(change), time.monotonic()
        only_counts = not (change.text or change.state.ended)
        if line == self._said or (only_counts and now - self._at < CALM):
            return
        self._console.print(f"{self._label}: {line}", highlight=False, markup=False, soft_wrap=True)
        self._said, self._at = line, now
