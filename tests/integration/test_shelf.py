"""The shared store of trace proofs: found by other processes, and nothing wrong ever is."""

import numpy as np
import pytest
import redis

from farm import shelf as module
from farm import trace
from farm.columns import Inputs
from farm.reuse import Reuse
from farm.shelf import Shelf
from farm.witness import read_inputs

pytestmark = pytest.mark.redis

LIMIT = 1000
BATCH = read_inputs("fib.v0", [30, 40, 0], [[1, 2]] * 3)


@pytest.fixture
def client(ledger_url):
    client = redis.Redis.from_url(ledger_url)
    yield client
    client.config_set("maxmemory", 0)
    client.close()


@pytest.fixture
def shelf(ledger_url):
    made = []

    def shelf(namespace="default", limit=LIMIT, url=ledger_url, clock=lambda: 0.0):
        made.append(Shelf.at(url, namespace, limit))
        made[-1]._clock = clock
        return made[-1]

    yield shelf
    for one in made:
        one.close()


def fill(shelf: Shelf, inputs: Inputs = BATCH):
    found = shelf.look(inputs)
    shelf.keep(found.keys, trace.prove(inputs.pick(found.rows), LIMIT))


def test_one_process_finds_what_another_has_proved(shelf):
    fill(shelf())
    found = shelf().look(BATCH)
    assert found.hits.tolist() == [True, True, False] and len(found.rows) == 0
    assert found.outputs.pack("") == trace.prove(BATCH.pick(np.array([0, 1])), LIMIT).pack("")


@pytest.mark.parametrize("words", [[], [1], [1, 2], [1, 2, 3], list(range(50))])
def test_messages_of_any_length_are_shared(shelf, words):
    batch = read_inputs("sha256.v0", None, [words])
    fill(shelf(), batch)
    found = shelf().look(batch)
    assert found.outputs.pack("") == trace.prove(batch, LIMIT).pack("")


def test_a_batch_is_one_round_trip_and_expires(shelf, client):
    fill(shelf())
    before = client.info("commandstats")["cmdstat_mget"]["calls"]
    shelf().look(BATCH)
    assert client.info("commandstats")["cmdstat_mget"]["calls"] == before + 1
    lives = [client.ttl(key) for key in client.keys("farm:proof:default:*")]
    assert len(lives) == 2 and all(0 < seconds <= 3600 for seconds in lives)


def test_no_namespace_sees_anothers(shelf):
    fill(shelf())
    assert not shelf("other").look(BATCH).hits.any()


def test_a_lower_limit_is_kept_to(shelf):
    fill(shelf())
    assert shelf(limit=35).look(BATCH).hits.tolist() == [True, False, False]


def spoilt(value: bytes, other: bytes) -> list[bytes]:
    flipped = [value[:at] + bytes([value[at] ^ 1]) + value[at + 1 :] for at in range(len(value))]
    return [*flipped, value[:-1], value + b"\0", b"", other]


def test_what_is_not_whole_or_anothers_is_no_proof(shelf, client):
    fill(shelf())
    keys = client.keys("farm:proof:default:*")
    for key, other in (keys, keys[::-1]):
        whole = client.get(key)
        for value in spoilt(whole, client.get(other)):
            client.set(key, value)
            assert shelf().look(BATCH).hits.sum() == 1
        client.set(key, whole)
    assert shelf().look(BATCH).hits.sum() == 2


def test_a_server_that_is_away_is_left_alone_for_a_while(shelf, tmp_path, ledger_url):
    now = [0.0]
    away = shelf(url=f"unix://{tmp_path}/none", clock=lambda: now[0])
    fill(away)
    assert not away.look(BATCH).hits.any()
    away._client = redis.Redis.from_url(ledger_url)
    fill(shelf())
    assert not away.look(BATCH).hits.any()
    now[0] = module.PAUSE
    assert away.look(BATCH).hits.sum() == 2


def test_a_full_server_is_no_reason_to_fail(shelf, client):
    client.config_set("maxmemory", 1)
    full = shelf()
    done = Reuse(full).prove(BATCH, lambda inputs: trace.prove(inputs, LIMIT))
    assert done.pack("") == trace.prove(BATCH, LIMIT).pack("")
    client.config_set("maxmemory", 0)
    assert client.keys("farm:proof:*") == []


def test_a_server_that_others_need_is_not_filled(shelf, client):
    client.config_set("maxmemory", 2 * int(client.info("memory")["used_memory"]))
    fill(shelf())
    assert not shelf().look(BATCH).hits.any()
    client.config_set("maxmemory", 0)
    fill(shelf())
    assert shelf().look(BATCH).hits.any()


def test_what_one_process_has_noted_another_knows_and_nobody_takes_it_for_a_proof(shelf, client):
    one, other = shelf(), shelf()
    keys = one.look(BATCH).keys
    assert (one.noted(keys[:1]), other.noted(keys), one.noted(keys[:0])) == (0, 1, 0)
    assert not other.look(BATCH).hits.any()
    assert all(0 < client.ttl(key) <= 3600 for key in client.keys("farm:proof:default:*"))
    fill(one)
    assert other.noted(keys) == 2 and other.look(BATCH).hits.sum() == 2


def test_a_server_that_others_need_takes_no_notes_either(shelf, client):
    client.config_set("maxmemory", 2 * int(client.info("memory")["used_memory"]))
    keys = shelf().look(BATCH).keys
    assert shelf().noted(keys) == 0 and client.keys("farm:proof:*") == []
