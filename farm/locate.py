"""Find the compiled parts: by the operator's word, on PATH, or where `make host` leaves them."""

import os
import shutil
from pathlib import Path

from farm.errors import HostMissing, KernelMissing
from farm.settings import Settings

NAME = "farm-host"
KERNEL = "libfarm_kernel.so"


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


def kernel(named: str) -> str:
    """Return the path of the trace kernel: `named`, or beside the host where that is empty.

    Raises KernelMissing where there is none.
    """
    path = Path(named).expanduser().absolute() if named else cache_home() / "bin" / KERNEL
    if not path.is_file():
        raise KernelMissing(str(path), "there is no such file")
    return str(path)
