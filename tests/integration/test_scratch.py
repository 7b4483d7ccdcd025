"""The scratch store: blobs in a server, like blobs on disk, but only for a while."""

import time

import pytest
import redis

from farm.blobs import RedisBlobs
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
