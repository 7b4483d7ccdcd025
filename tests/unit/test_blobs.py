"""Blobs as files: whole or not at all, and nobody else's to read."""

import errno
import os
import resource
import subprocess
import sys

import pytest

from farm.blobs import DirectoryBlobs
from farm.errors import StoreFailed


@pytest.fixture
def blobs(tmp_path):
    return DirectoryBlobs(tmp_path / "state" / "blobs")


def test_only_the_owner_can_read_it(blobs):
    ref = blobs.put(b"a segment holds the private input")
    path = blobs.path(ref)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert blobs.root.stat().st_mode & 0o777 == 0o700


def test_putting_twice_keeps_one(blobs):
    ref = blobs.put(b"same")
    before = blobs.path(ref).stat().st_ino
    assert blobs.put(b"same") == ref
    assert blobs.path(ref).stat().st_ino == before
    assert [p.name for p in blobs.path(ref).parent.iterdir()] == [ref]


def test_a_full_disk_is_said_and_leaves_nothing_behind(blobs, monkeypatch):
    blobs.put(b"there before")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("farm.blobs.os.fsync", full)
    with pytest.raises(StoreFailed, match=r"cannot write .*blobs: No space left on device"):
        blobs.put(b"too much")
    assert sum(path.is_file() for path in blobs.root.rglob("*")) == 1


def test_a_write_that_hits_a_real_limit_is_said_too(tmp_path):
    # The limit is the process's, so the write happens in one of its own.
    program = f"""
import resource, signal
from pathlib import Path
from farm.blobs import DirectoryBlobs
from farm.errors import StoreFailed
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}))
try:
    DirectoryBlobs(Path({str(tmp_path)!r})).put(b"x" * 5000)
except StoreFailed as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == f"cannot write {tmp_path}: File too large\n", done.stderr
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    # A file where the folder should be: root, too, is refused.
    (tmp_path / "blobs").write_text("")
    with pytest.raises(StoreFailed, match=r"Not a directory|File exists"):
        DirectoryBlobs(tmp_path / "blobs").put(b"x")


def test_a_read_only_store_is_said(blobs, monkeypatch):
    def refuse(*args, **kwargs):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("farm.blobs.os.open", refuse)
    with pytest.raises(StoreFailed, match="Read-only file system"):
        blobs.put(b"x")
