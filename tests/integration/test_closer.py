"""Jobs that join a set are in exactly one, whoever dies in between; over a real ledger."""

import pytest
from hands import ended, hexed, spec, submit

from farm import keys, verify
from farm.closer import Closer
from farm.ledger import Ledger
from farm.relied import relied
from farm.settings import Settings

pytestmark = pytest.mark.redis

IMAGE = "22" * 32


@pytest.fixture
def closer(ledger_url, blobs, tmp_path, monkeypatch):
    monkeypatch.setattr(verify, "image_id", lambda program, settings: IMAGE)

    def made(**terms):
        settings = Settings(state=tmp_path, aggregate=terms or {"size": 2})
        return Closer(settings, Ledger.at(ledger_url), blobs)

    return made


def joined(ledger, blobs, **given):
    number = joined.number = getattr(joined, "number", 0) + 1
    known = {"image_id": hexed(f"image {number}"), "aggregate": "rollup"}
    id = submit(ledger, spec(blobs, **known | given))
    ended(ledger, id)
    return id


def members(ledger, id):
    return [one.name for one in ledger.status(id).spec.members]


def test_jobs_are_in_the_set_that_they_join_once_it_is_full(ledger, blobs, hands, start, closer):
    start()
    look = closer().look
    ids = [joined(ledger, blobs)]
    assert look() == []
    ids.append(joined(ledger, blobs))
    ids.append(joined(ledger, blobs))
    (made,) = look()
    assert members(ledger, made) == ids[:2]
    assert [ledger.status(id).set for id in ids] == [made, made, ""]
    assert ledger.status(made).spec.image_id == IMAGE
    assert look() == []


def test_a_job_that_is_cancelled_is_in_none(ledger, blobs, hands, start, closer):
    start()
    hands.whims["execute"] = hands.ignore
    assert ledger.cancel(submit(ledger, spec(blobs, aggregate="rollup")))
    ids = [joined(ledger, blobs) for _ in range(2)]
    (made,) = closer().look()
    assert members(ledger, made) == ids


def test_an_answer_from_the_store_joins_as_well(ledger, blobs, hands, start, closer):
    start()
    first = joined(ledger, blobs, image_id=hexed("same"))
    second = joined(ledger, blobs, image_id=hexed("same"))
    (made,) = closer().look()
    assert members(ledger, made) == [first, second]


def test_who_dies_before_the_set_is_handed_in_leaves_it_to_the_next(
    ledger, blobs, hands, start, closer, monkeypatch
):
    start()
    ids = [joined(ledger, blobs) for _ in range(2)]
    first = closer()
    monkeypatch.setattr(first, "_submit", lambda text: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        first.look()
    assert ledger.calls([("ZCARD", keys.OPEN_SETS), ("HLEN", keys.CLOSED)]) == [0, 1]
    (made,) = closer().look()
    assert members(ledger, made) == ids
    assert ledger.status(ids[0]).set == made
    assert ledger.calls([("HLEN", keys.CLOSED)]) == [0]


def test_of_two_who_look_one_closes_the_set(ledger, blobs, hands, start, closer):
    start()
    first, second = closer(), closer()
    for one in (first, second):
        one.look()
    [joined(ledger, blobs) for _ in range(2)]
    waiting = first._read(dict.fromkeys(_waiting(ledger), 0.0))
    assert second.look()
    assert first._close([*waiting]) == ""


def test_tenants_share_a_set_that_both_name(ledger, blobs, hands, start, closer):
    start()
    ids = [joined(ledger, blobs, namespace=one, aggregate="+rollup") for one in ("ours", "theirs")]
    apart = [joined(ledger, blobs, namespace=one) for one in ("ours", "theirs")]
    (made,) = closer().look()
    view = ledger.status(made)
    assert (members(ledger, made), view.spec.namespace) == (ids, "+rollup")
    assert relied(ledger.status(ids[0]), "+rollup").receipt
    assert relied(ledger.status(apart[0]), "+rollup").state is None


def test_a_job_that_is_removed_while_it_waits_is_left_out(ledger, blobs, hands, start, closer):
    start()
    gone, kept = joined(ledger, blobs), joined(ledger, blobs)
    ledger.calls([("DEL", keys.job(gone))])
    assert closer().look() == []
    other = joined(ledger, blobs)
    (made,) = closer().look()
    assert members(ledger, made) == [kept, other]


def _waiting(ledger):
    return ledger.calls([("ZRANGE", keys.OPEN_SETS, 0, -1)])[0]
