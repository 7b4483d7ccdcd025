"""Look over the folder of blobs as a whole: whose it is, what lies there, and let files go.

`DirectoryBlobs` (blobs.py) puts and gets one body; the sweep needs the whole folder. Works where
several machines mount it: no lock, no clock but the file system's.
"""

import contextlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from farm.errors import StoreFailed

#: Files of the store that say which one it is, and which ledger names its blobs.
ID, LEDGER = ".id", ".ledger"
#: Starts the name of a file on its way out of the store.
GONE = ".gone-"
_SHARD = re.compile(r"[0-9a-f]{2}")
_BLOB = re.compile(r"[0-9a-f]{64}-[0-9]{1,15}")


class File(NamedTuple):
    """One file of the store; `ref` is empty for what is no blob (a write that was broken off)."""

    folder: Path
    name: str
    ref: str

    @property
    def path(self) -> Path:
        """Return where it is."""
        return self.folder / self.name

    @property
    def size(self) -> int:
        """Return the bytes of a blob, as its reference says."""
        return int(self.ref.rpartition("-")[2] or 0)


class Store:
    """The blobs in one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def id(self) -> str:
        """Return the store's id, kept in the store; made now if there is none."""
        return self._first(ID, secrets.token_hex(16))

    def ledger(self, id: str) -> str:
        """Return the id of the ledger that names these blobs: the first one given."""
        return self._first(LEDGER, id)

    def known(self, name: str = ID) -> str:
        """Return the store's id, or that of its LEDGER, empty while there is none."""
        with contextlib.suppress(OSError):
            return (self.root / name).read_text().strip()
        return ""

    def now(self) -> float:
        """Return the time by which files of this store get their age."""
        mark = self.root / f".now-{secrets.token_hex(4)}"
        with _named(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark.touch(0o600)
            try:
                return mark.stat().st_mtime
            finally:
                mark.unlink(missing_ok=True)

    def files(self) -> Iterator[File]:
        """Yield every file, folder by folder, in no order; what goes meanwhile may be missing."""
        with _named(self.root):
            for shard in _entries(self.root):
                if _SHARD.fullmatch(shard.name) and shard.is_dir():
                    folder = Path(shard.path)
                    for entry in _entries(folder):
                        name = entry.name
                        yield File(folder, name, name if _BLOB.fullmatch(name) else "")

    def old(self, file: File, before: float) -> bool:
        """Return whether a file is there that was last put before a time."""
        with _named(self.root), contextlib.suppress(FileNotFoundError):
            return file.path.stat().st_mtime < before
        return False

    def remove(self, file: File, before: float) -> bool:
        """Delete a file that was last put before a time; return whether it was."""
        with _named(self.root):
            try:
                if file.name.startswith(GONE):  # the sweep that took it was broken off
                    return _finish(file.path, before)
                if file.path.stat().st_mtime >= before:
                    return False
                return _leave(file.path, before)
            except FileNotFoundError:  # another sweep was faster
                return False

    def _first(self, name: str, text: str) -> str:
        """Return what a file of the store says; `text` if nobody has said it before."""
        file, draft = self.root / name, self.root / f"{name}-{secrets.token_hex(4)}"
        with _named(self.root):
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not file.exists():
                draft.write_text(text)
                # A link, for it fails where another process was first.
                with contextlib.suppress(FileExistsError):
                    os.link(draft, file)
                draft.unlink()
            return file.read_text().strip()


def _leave(path: Path, before: float) -> bool:
    """Take a file out of reach, then delete it, unless it was put again at the last moment."""
    # Whoever puts it from now on finds nothing and writes it anew; who did so just before has
    # made it young, and its name comes back.
    gone = path.with_name(GONE + path.name)
    path.rename(gone)
    return _finish(gone, before)


def _finish(path: Path, before: float) -> bool:
    name = path.name.removeprefix(GONE)
    if path.stat().st_mtime < before:
        path.unlink()
        return True
    if name != path.name:
        path.rename(path.with_name(name))
    return False


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as found:
            yield from found
    except FileNotFoundError:
        return


@contextlib.contextmanager
def _named(root: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreFailed(root, error.strerror or error) from error
