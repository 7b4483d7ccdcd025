"""Folders and files that only their owner may read: state folders and generated passwords."""

import os
import secrets
import stat
from pathlib import Path

from farm.errors import StoreFailed


def folder(path: Path) -> Path:
    """Return `path`, made with its parents if need be, closed to everybody else.

    Raises StoreFailed where it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
    except OSError as error:
        raise StoreFailed(path, error.strerror) from error
    return path


def write(path: Path, text: str) -> None:
    """Put `text` into a file of mode 0600, whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        opened = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(opened, "w") as file:
            file.write(text)
        new.replace(path)
    except OSError as error:
        raise StoreFailed(path, error.strerror) from error


def password(path: Path) -> str:
    """Return the password kept in `path`, generated on first use."""
    if not path.exists():
        folder(path.parent)
        write(path, secrets.token_hex(24))
    return path.read_text().strip()


def is_ours(path: Path) -> bool:
    """Tell whether `path` is a folder that we own and nobody else may enter."""
    try:
        found = path.lstat()
    except OSError:
        return False
    private = not found.st_mode & 0o077
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private
