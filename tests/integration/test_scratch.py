"""The scratch store: blobs in a server, like blobs on disk, but only for a while."""

import time

import pytest
import redis

from farm import keys
from farm.blobs import RedisBlobs, reference
from farm.errors import BlobMissing, LedgerDown, StoreFailed

pytestmark = pytest.mark.redis


@pytest.fixture
def client(ledger_url):
    client = redis.Redis.from_url(ledger_url)
    yield client
    client.config_set("maxmemory", 0)
    client.close()


@pytest.fixture
def blobs(ledger_url):
    blobs = RedisBlobs.at(ledger_url, 60)
    yield blobs
    blobs.close()


def test_it_is_kept_for_a_while_only(ledger_url):
    blobs = RedisBlobs.at(ledger_url, 0.05)
    ref = blobs.put(b"soon gone")
    time.sleep(0.1)
    with pytest.raises(BlobMissing):
        blobs.get(ref)
    blobs.close()


def test_a_full_server_is_said(blobs, client):
    client.config_set("maxmemory", 1)
    with pytest.raises(StoreFailed, match=r"cannot write scratch: .*used memory > 'maxmemory'"):
        blobs.put(b"too much")


def test_a_server_that_is_away_is_said(tmp_path):
    blobs = RedisBlobs.at(f"unix://{tmp_path}/none", 60)
    with pytest.raises(LedgerDown, match="scratch server"):
        blobs.put(b"x")


def test_several_are_put_and_looked_at_in_one_go(blobs):
    refs = blobs.put_all([b"one", b"", b"\xff" * 300_000])
    one, missing, large = blobs.get_all([refs[0], reference(b"never"), refs[2]])
    assert (one, large) == (b"one", b"\xff" * 300_000)
    assert isinstance(missing, BlobMissing)
    assert blobs.put_all([]) == blobs.get_all([]) == []


def test_what_is_taken_is_gone_and_with_it_what_is_dropped(blobs, client):
    one, other, kept = blobs.put_all([b"one", b"other", b"kept"])
    assert blobs.take_all([one], [other]) == [b"one"]
    assert [blobs.has(ref) for ref in (one, other, kept)] == [False, False, True]
    client.set(keys.blob(kept), b"kepT")
    (changed,) = blobs.take_all([kept])
    assert isinstance(changed, BlobMissing)
    blobs.drop([])
    blobs.drop([kept, one])
