"""Log files of the farm's processes: the last line, and a size they do not outgrow."""

import contextlib
import os
import shutil
from pathlib import Path

#: A log is put aside at this size; one old part is kept.
MOST_BYTES = 16 << 20
#: How far back a last line is looked for.
TAIL_BYTES = 4096


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty, or ""."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def rotate(log: Path) -> None:
    """Put a large log aside; who writes to it (appending) goes on in the emptied file."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > MOST_BYTES:
            shutil.copyfile(log, f"{log}.1")
            os.truncate(log, 0)
