"""Show the reference benchmark: a table on the terminal, and Markdown, JSON and PNG in a folder."""

import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from farm import pin, trace
from farm.bench_row import Curve, Row
from farm.errors import StoreFailed

HEADINGS = ("part", "what", "reference", "here", "goal", "")
#: Columns that the table needs where there is no terminal.
WIDTH = 160
#: Numbers whose largest is more than so many times the smallest are drawn by their magnitude.
WIDE = 20


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "cores": len(pin.cores()),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "backend": trace.backend(),
    }


def show(rows: Sequence[Row]) -> None:
    """Print the table."""
    table = Table()
    for heading in HEADINGS:
        table.add_column(heading, overflow="fold", no_wrap=heading in ("part", ""))
    part = ""
    for row in rows:
        if row.part != part:
            table.add_section()
        table.add_row("" if row.part == part else row.part, *cells(row)[1:])
        part = row.part
    Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else WIDTH).print(
        table
    )


def cells(row: Row) -> tuple[str, ...]:
    """Return the texts of a row, one for each heading."""
    met = "" if row.met is None else "met" if row.met else "MISSED"
    return row.part, row.what, row.reference, row.ours, row.goal, met


def write(folder: Path, rows: Sequence[Row], curves: Sequence[Curve]) -> list[Path]:
    """Return the files written; without matplotlib there is no PNG. Raises StoreFailed."""
    facts = {"machine": machine(), "rows": rows, "curves": curves}
    bodies = {
        "reference.md": markdown(rows).encode(),
        "reference.json": msgspec.json.format(msgspec.json.encode(facts)),
    }
    if (picture := _png(curves)) is not None:
        bodies["reference.png"] = picture
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in bodies.items():
            (folder / name).write_bytes(body)
    except OSError as error:
        raise StoreFailed(folder, error.strerror or error) from error
    return [folder / name for name in bodies]


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown, after a line on the machine."""
    facts = ", ".join(f"{name} {value}" for name, value in machine().items())
    table = [HEADINGS, ("---",) * len(HEADINGS), *map(cells, rows)]
    lines = ["| " + " | ".join(line) + " |" for line in table]
    return "\n".join([f"Measured on: {facts}.", "", *lines, ""])


def _png(curves: Sequence[Curve]) -> bytes | None:
    """Return a picture of the curves, None if there are none or no matplotlib."""
    if not curves:
        return None
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    from io import BytesIO

    figure = Figure(figsize=(9, 4 * len(curves)), layout="constrained")
    for place, curve in zip(figure.subplots(len(curves), squeeze=False)[:, 0], curves, strict=True):
        _draw(place, curve)
    body = BytesIO()
    figure.savefig(body, format="png")
    return body.getvalue()


def _draw(place: Any, curve: Curve) -> None:
    """Draw numbers where they are, with lines between them, and names side by side."""
    numbers = all(one.isdigit() for one in curve.places)
    at = [int(one) for one in curve.places] if numbers else list(range(len(curve.places)))
    for name, values in curve.lines.items():
        place.plot(at, values, "o-" if numbers else "o", label=name)
    place.set(title=curve.title, xlabel=curve.across, ylabel=curve.up, ylim=(0, None))
    if max(at) > WIDE * min(at) > 0:
        place.set_xscale("log")
    place.set_xticks(at, curve.places)
    place.minorticks_off()
    place.legend()
