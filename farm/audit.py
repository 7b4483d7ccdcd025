"""The audit log: who asked for what by way of the API, one JSON object a line."""

import logging.handlers
import time
from pathlib import Path
from typing import Self

import msgspec

from farm import private
from farm.settings import Settings


class Audit:
    """Appends to a file of mode 0600; one that was moved away is begun anew."""

    def __init__(self, path: Path) -> None:
        private.folder(path.parent)
        path.touch(0o600)
        self._file = logging.handlers.WatchedFileHandler(path)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the audit log of the farm with these settings."""
        return cls(settings.state / "audit.log")

    def note(self, **facts: object) -> None:
        """Write a line: these facts, and the unix time they are from."""
        line = msgspec.json.encode({"at": round(time.time(), 3), **facts}, enc_hook=str).decode()
        self._file.emit(logging.makeLogRecord({"msg": line}))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
