"""Put and get bodies of any size a piece at a time, in the folder of blobs (blobs.py)."""

import os
import secrets
from collections.abc import Iterator
from hashlib import sha256
from io import FileIO
from types import TracebackType
from typing import Self

from farm.blobs import DirectoryBlobs, known, make_folder, sync
from farm.errors import BlobMissing, StoreFailed

#: Bytes that are read in one go.
PIECE = 1 << 20
#: The folder of the store in which drafts lie: what is broken off there, the sweep finds.
_SHARD = "00"


class Draft:
    """A body that is coming in: kept whole, or nothing of it. Use as a context manager."""

    def __init__(self, blobs: DirectoryBlobs) -> None:
        self._blobs, self._hash, self.size = blobs, sha256(), 0
        folder = blobs.root / _SHARD
        self._path = folder / f".{secrets.token_hex(8)}"
        try:
            make_folder(folder)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            self._file = os.fdopen(os.open(self._path, flags, 0o600), "wb", buffering=0)
        except OSError as error:
            raise StoreFailed(blobs.root, error.strerror or error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Delete what was not kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Add a piece; raises StoreFailed when the disk takes no more."""
        left = memoryview(piece)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            raise StoreFailed(self._blobs.root, error.strerror or error) from error
        self._hash.update(piece)
        self.size += len(piece)

    @property
    def ref(self) -> str:
        """The reference that the body has, as far as it has come."""
        return f"{self._hash.hexdigest()}-{self.size}"

    def body(self) -> bytes:
        """Return what has come so far, to be looked at before it is kept."""
        return self._path.read_bytes()

    def keep(self) -> str:
        """Return the reference of the body, which is on disk by then; raises StoreFailed."""
        ref = self.ref
        path = self._blobs.path(ref)
        try:
            os.fsync(self._file.fileno())
            make_folder(path.parent)
            # One that is there already is replaced by the same bytes, and is young again.
            self._path.rename(path)
            sync(path.parent)
        except OSError as error:
            raise StoreFailed(self._blobs.root, error.strerror or error) from error
        return ref


def stamp(blobs: DirectoryBlobs, ref: str) -> int:
    """Return what changes when the file of a body does; raises BlobMissing."""
    try:
        return blobs.path(known(ref)).stat().st_mtime_ns
    except FileNotFoundError:
        raise BlobMissing(ref, f"not in {blobs.root}") from None


def pieces(
    blobs: DirectoryBlobs,
    ref: str,
    start: int = 0,
    end: int | None = None,
    *,
    trusted: bool = False,
) -> Iterator[bytes]:
    """Yield the bytes from `start` up to `end` of a body, a piece at a time.

    Raises BlobMissing for a body that is not there, cut short or changed: of a whole one before
    its last piece; of a part before its first, unless the body is `trusted`, having been looked
    at before.
    """
    size = int(known(ref).rpartition("-")[2])
    end = size if end is None else end
    try:
        file = blobs.path(ref).open("rb", buffering=0)
    except FileNotFoundError:
        raise BlobMissing(ref, f"not in {blobs.root}") from None
    except OSError as error:
        raise StoreFailed(blobs.root, error.strerror or error) from error
    with file:
        if os.fstat(file.fileno()).st_size != size:
            raise BlobMissing(ref, f"is not {size} bytes long")
        if (start, end) == (0, size):
            yield from _checked(file, ref)
            return
        for _ in () if trusted else _checked(file, ref):
            pass
        file.seek(start)
        yield from _part(file, end - start)


def _checked(file: FileIO, ref: str) -> Iterator[bytes]:
    digest, piece = sha256(), file.read(PIECE)
    while piece:
        digest.update(piece)
        following = file.read(PIECE)
        if not following and not ref.startswith(f"{digest.hexdigest()}-"):
            raise BlobMissing(ref, "its bytes have changed")
        yield piece
        piece = following


def _part(file: FileIO, left: int) -> Iterator[bytes]:
    while left > 0 and (piece := file.read(min(left, PIECE))):
        left -= len(piece)
        yield piece
