"""Have a farm of one's own for a measurement: new state, its own servers, gone at the end."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from farm import background
from farm import settings as config
from farm.settings import Settings


@contextlib.contextmanager
def farm(**given: Any) -> Iterator[Settings]:
    """Yield the settings of a farm that is up; it ends with this process, however that ends."""
    with tempfile.TemporaryDirectory(prefix="farm-") as state:
        own = {"ledger_url": "", "broker_url": "", "scratch_url": ""}
        pages = {"flower": False, "api": False}
        settings = config.load(state=Path(state), **own | pages | given)
        background.start(settings, leashed=True)
        try:
            yield settings
        finally:
            background.stop(settings, now=True)
