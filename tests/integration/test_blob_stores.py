"""Every blob store behaves alike: what comes back is what was put, or an error that says why."""

import os

import pytest
import redis

from farm import keys
from farm.blobs import DirectoryBlobs, RedisBlobs
from farm.errors import BlobMissing


@pytest.fixture(params=["directory", pytest.param("scratch", marks=pytest.mark.redis)])
def store(request, tmp_path):
    """Return a store, and what changes the bytes that it keeps."""
    if request.param == "directory":
        blobs = DirectoryBlobs(tmp_path / "blobs")
        yield blobs, lambda ref, body: blobs.path(ref).write_bytes(body)
        return
    url = request.getfixturevalue("ledger_url")
    blobs, client = RedisBlobs.at(url, 60), redis.Redis.from_url(url)
    yield blobs, lambda ref, body: client.set(keys.blob(ref), body)
    blobs.close()
    client.close()


@pytest.mark.parametrize("body", [b"", b"x", os.urandom(300_000)])
def test_what_was_put_comes_back(store, body):
    blobs, _ = store
    ref = blobs.put(body)
    assert ref.endswith(f"-{len(body)}")
    assert blobs.has(ref)
    assert blobs.get(ref) == body
    blobs.delete(ref)
    assert not blobs.has(ref)
    with pytest.raises(BlobMissing, match="not in"):
        blobs.get(ref)
    blobs.delete(ref)


@pytest.mark.parametrize(
    ("body", "said"), [(b"fou", "has 3 bytes of 4"), (b"fouR", "its bytes have changed")]
)
def test_what_was_cut_or_changed_is_missing_and_a_second_put_heals_it(store, body, said):
    blobs, spoil = store
    ref = blobs.put(b"four")
    spoil(ref, body)
    assert not blobs.has(ref)
    with pytest.raises(BlobMissing, match=said):
        blobs.get(ref)
    assert blobs.get(blobs.put(b"four")) == b"four"


@pytest.mark.parametrize("ref", ["", "../../etc/passwd", "ab", "0" * 64, "0" * 64 + "-", "Z" * 64])
def test_what_is_no_reference_is_missing_and_never_becomes_a_path(store, ref):
    blobs, _ = store
    with pytest.raises(BlobMissing, match="not a reference"):
        blobs.get(ref)
    assert not blobs.has(ref)
