"""Blobs: what comes back is what was put, or an error that says why not."""

import errno
import os
import resource
import subprocess
import sys

import pytest

from farm.blobs import DirectoryBlobs, reference
from farm.errors import BlobMissing, StoreFailed


@pytest.fixture
def blobs(tmp_path):
    return DirectoryBlobs(tmp_path / "state" / "blobs")


@pytest.mark.parametrize("body", [b"", b"x", os.urandom(300_000)])
def test_what_was_put_comes_back(blobs, body):
    ref = blobs.put(body)
    assert ref == reference(body)
    assert blobs.has(ref)
    assert blobs.get(ref) == body
    blobs.delete(ref)
    assert not blobs.has(ref)
    with pytest.raises(BlobMissing, match="not in"):
        blobs.get(ref)
    blobs.delete(ref)


def test_only_the_owner_can_read_it(blobs):
    ref = blobs.put(b"a segment holds the private input")
    path = blobs._path(ref)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert blobs.root.stat().st_mode & 0o777 == 0o700


def test_putting_twice_keeps_one(blobs):
    ref = blobs.put(b"same")
    before = blobs._path(ref).stat().st_ino
    assert blobs.put(b"same") == ref
    assert blobs._path(ref).stat().st_ino == before
    assert [p.name for p in blobs._path(ref).parent.iterdir()] == [ref]


def test_a_blob_cut_short_is_missing_and_a_second_put_heals_it(blobs):
    ref = blobs.put(b"four")
    blobs._path(ref).write_bytes(b"fou")
    assert not blobs.has(ref)
    with pytest.raises(BlobMissing, match="has 3 bytes of 4"):
        blobs.get(ref)
    assert blobs.get(blobs.put(b"four")) == b"four"


def test_a_flipped_bit_is_found(blobs):
    ref = blobs.put(b"four")
    blobs._path(ref).write_bytes(b"fouR")
    with pytest.raises(BlobMissing, match="its bytes have changed"):
        blobs.get(ref)


@pytest.mark.parametrize("ref", ["", "../../etc/passwd", "ab", "0" * 64, "0" * 64 + "-", "Z" * 64])
def test_what_is_no_reference_never_becomes_a_path(blobs, ref):
    with pytest.raises(BlobMissing, match="not a reference"):
        blobs.get(ref)
    assert not blobs.has(ref)


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
