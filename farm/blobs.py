"""Keep bodies by digest: programs, inputs, segments, receipts.

A reference is "<sha256>-<length>", so whoever reads can check what it got, a second write of
the same bytes changes nothing, and a blob that was cut short or changed counts as missing.
"""

import os
import re
import secrets
from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import redis

from farm import keys
from farm.errors import BlobMissing, LedgerDown, StoreFailed
from farm.packer import Packer

_REFERENCE = re.compile(r"[0-9a-f]{64}-[0-9]{1,15}")


class BlobStore(Protocol):
    """Where bodies are kept; every store behaves alike."""

    def put(self, body: bytes, ref: str = "") -> str:
        """Return the reference of `body`, which is kept for good by then; `ref`, if it is known."""

    def get(self, ref: str) -> bytes:
        """Return the body; raises BlobMissing when it is gone, cut short or changed."""

    def has(self, ref: str) -> bool:
        """Return whether the body is there, whole and unchanged."""

    def delete(self, ref: str) -> None:
        """Forget the body; one that is not there is no error."""


class ScratchStore(BlobStore, Protocol):
    """A store that forgets after a while, and does several things in one go."""

    def put_all(self, bodies: Sequence[bytes]) -> list[str]:
        """Return the references of the bodies, all there by then."""

    def get_all(self, refs: Sequence[str]) -> list["bytes | BlobMissing"]:
        """Return each body, or why there is none."""

    def take_all(
        self, refs: Sequence[str], drop: Sequence[str] = ()
    ) -> list["bytes | BlobMissing"]:
        """Return each body, or why there is none; forget these, and those in `drop`."""

    def drop(self, refs: Sequence[str]) -> None:
        """Forget the bodies; one that is not there is no error."""


def reference(body: bytes) -> str:
    """Return the reference of `body`."""
    return f"{sha256(body).hexdigest()}-{len(body)}"


def checked(ref: str, body: bytes) -> bytes:
    """Return `body` if it is what `ref` names; raises BlobMissing otherwise."""
    length = int(ref.rpartition("-")[2])
    if len(body) != length:
        raise BlobMissing(ref, f"has {len(body)} bytes of {length}")
    if reference(body) != ref:
        raise BlobMissing(ref, "its bytes have changed")
    return body


def _there(store: BlobStore, ref: str) -> bool:
    try:
        store.get(ref)
    except (BlobMissing, StoreFailed):
        return False
    return True


def known(ref: str) -> str:
    """Return the reference; raises BlobMissing for what is none."""
    # A reference becomes a path, so one from outside must not be able to leave the folder.
    if not _REFERENCE.fullmatch(ref):
        raise BlobMissing(ref, "not a reference")
    return ref


class DirectoryBlobs:
    """Blobs as files of one folder, written whole or not at all."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, body: bytes, ref: str = "") -> str:
        """Return the reference of `body`, on disk by then; raises StoreFailed."""
        ref = ref or reference(body)
        try:
            if not self._freshened(ref):
                self._write(self.path(ref), body)
        except OSError as error:
            raise StoreFailed(self.root, error.strerror or error) from error
        return ref

    def get(self, ref: str) -> bytes:
        """Return the body; raises BlobMissing, or StoreFailed when the folder cannot be read."""
        try:
            body = self.path(known(ref)).read_bytes()
        except FileNotFoundError:
            raise BlobMissing(ref, f"not in {self.root}") from None
        except OSError as error:
            raise StoreFailed(self.root, error.strerror or error) from error
        return checked(ref, body)

    def has(self, ref: str) -> bool:
        """Return whether the file is there, whole and unchanged."""
        return _there(self, ref)

    def delete(self, ref: str) -> None:
        """Remove the file, if there is one."""
        try:
            self.path(known(ref)).unlink(missing_ok=True)
        except OSError as error:
            raise StoreFailed(self.root, error.strerror or error) from error

    def path(self, ref: str) -> Path:
        """Return where the body is, or would be."""
        return self.root / ref[:2] / ref

    def _freshened(self, ref: str) -> bool:
        """Return whether the body is there already; its age counts from now then."""
        try:
            self.get(ref)
            # Who puts is about to write a reference: the sweep (store.py) spares what is young.
            os.utime(self.path(ref))
        except (BlobMissing, FileNotFoundError):
            return False
        return True

    def _write(self, path: Path, body: bytes) -> None:
        make_folder(path.parent)
        draft = path.parent / f".{secrets.token_hex(8)}"
        try:
            with os.fdopen(
                os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
            ) as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, that is there after a crash as well."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync(path.parent)


def sync(folder: Path) -> None:
    """Have the names in a folder on disk."""
    # A rename is only durable once its folder is.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def own_name(body: bytes) -> str:
    """Return a reference that no other body has, were it equal: random, CRC-32, length."""
    return f"{secrets.token_hex(28)}{crc32(body):08x}-{len(body)}"


class RedisBlobs:
    """Blobs as keys that expire: for results that can be computed again.

    Their references tell a body that was cut or spoiled by accident, at a quarter of the cost of
    a digest: whoever can change what lies here on purpose may say what its reference is too.
    """

    def __init__(self, client: redis.Redis, seconds: float) -> None:
        self._client: Any = client
        self._milliseconds = int(seconds * 1000)

    @classmethod
    def at(cls, url: str, seconds: float = keys.SCRATCH) -> "RedisBlobs":
        """Return the store of the server at `url`."""
        client = redis.Redis.from_url(
            url,
            command_packer=Packer(),
            socket_timeout=15,
            socket_connect_timeout=3,
            # Bodies are large, and each piece that is read costs a call.
            socket_read_size=1 << 18,
        )
        return cls(client, seconds)

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._client.close()

    def put(self, body: bytes, ref: str = "") -> str:
        """Return the reference of `body`; raises StoreFailed when the server is full."""
        return self.put_all([body])[0]

    def put_all(self, bodies: Sequence[bytes]) -> list[str]:
        """Return the references of the bodies; raises StoreFailed when the server is full."""
        refs = [own_name(body) for body in bodies]
        until = ("PX", self._milliseconds)
        self._ask(
            ("SET", keys.blob(ref), body, *until) for ref, body in zip(refs, bodies, strict=True)
        )
        return refs

    def get(self, ref: str) -> bytes:
        """Return the body; raises BlobMissing when it is gone, cut short or changed."""
        found = self.get_all([known(ref)])[0]
        if isinstance(found, BlobMissing):
            raise found
        return found

    def get_all(self, refs: Sequence[str]) -> list[bytes | BlobMissing]:
        """Return each body, or why there is none."""
        return _each(refs, self._ask(("GET", keys.blob(ref)) for ref in refs))

    def take_all(self, refs: Sequence[str], drop: Sequence[str] = ()) -> list[bytes | BlobMissing]:
        """Return each body, or why there is none; forget these, and those in `drop`."""
        dropped = [("UNLINK", *map(keys.blob, drop))] if drop else []
        answers = self._ask([*(("GETDEL", keys.blob(ref)) for ref in refs), *dropped])
        return _each(refs, answers[: len(refs)])

    def has(self, ref: str) -> bool:
        """Return whether the body is there, whole and unchanged."""
        return _there(self, ref)

    def delete(self, ref: str) -> None:
        """Drop the key, if there is one."""
        self.drop([known(ref)])

    def drop(self, refs: Sequence[str]) -> None:
        """Drop the keys that are there."""
        if refs:
            self._ask([("UNLINK", *map(keys.blob, refs))])

    def _ask(self, commands: Iterable[tuple[Any, ...]]) -> list[Any]:
        try:
            pipeline = self._client.pipeline(transaction=False)
            for command in commands:
                pipeline.execute_command(*command)
            answers = pipeline.execute(raise_on_error=False)  # which would show the bodies
            if failed := next((one for one in answers if isinstance(one, Exception)), None):
                raise failed
        except (redis.ConnectionError, redis.TimeoutError) as error:
            raise LedgerDown("its scratch server", error) from error
        except redis.RedisError as error:
            raise StoreFailed("scratch", error) from error
        return list(answers)


def _each(refs: Sequence[str], bodies: Sequence[bytes | None]) -> list[bytes | BlobMissing]:
    return [_whole(ref, body) for ref, body in zip(refs, bodies, strict=True)]


def _whole(ref: str, body: bytes | None) -> bytes | BlobMissing:
    if body is None:
        return BlobMissing(ref, "not in the scratch store, or expired")
    check, _, length = ref[56:].partition("-")
    if len(body) != int(length):
        return BlobMissing(ref, f"has {len(body)} bytes of {length}")
    if crc32(body) != int(check, 16):
        return BlobMissing(ref, "its bytes have changed")
    return body
