"""Find the farm-host binary: the operator's word, then PATH, then where `make host` leaves it."""

import os
import shutil
from pathlib import Path

from farm.errors import HostMissing
from farm.settings import Settings

NAME = "farm-host"


def cache_home() -> Path:
    """Return the user's cache folder for the farm (XDG_CACHE_HOME, else ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "proving-farm"


def find(settings: Settings) -> str:
    """Return the path of the host to run; raises HostMissing where there is none."""
    if settings.host:
        # What the operator named is used or refused, never replaced by another.
        found = shutil.which(settings.host)
    else:
        found = shutil.which(NAME) or shutil.which(str(cache_home() / "bin" / NAME))
    if found is None:
        raise HostMissing(settings.host or f"PATH or {cache_home() / 'bin'}")
    return found
