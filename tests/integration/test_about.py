"""One ledger, one blob store: whoever comes with another folder is told."""

import pytest

from farm import Farm, about, keys, sweeper, up
from farm.blobs import DirectoryBlobs
from farm.errors import WrongLedger, WrongStore
from farm.remains import Remains
from farm.settings import Settings
from farm.store import LEDGER, Store

pytestmark = pytest.mark.redis


@pytest.fixture
def first(tmp_path):
    return Store(tmp_path / "first" / "blobs")


@pytest.fixture
def second(tmp_path):
    return Store(tmp_path / "second" / "blobs")


def test_the_first_to_work_makes_its_store_the_ledgers(ledger, first, second):
    about.claim(ledger, first)
    about.claim(ledger, first)
    assert about.read(ledger)["store"] == first.known()
    with pytest.raises(WrongStore, match=f"belongs to blob store {first.known()}"):
        about.claim(ledger, second)
    assert about.read(ledger)["store"] == first.known()


def test_a_client_asks_and_never_claims(ledger, first, second):
    about.check(ledger, second)
    assert (about.read(ledger), second.known()) == ({}, "")
    about.claim(ledger, first)
    about.check(ledger, first)
    with pytest.raises(WrongStore, match="id none"):
        about.check(ledger, second)


def test_two_folders_that_are_one_are_one_store(ledger, first, tmp_path):
    about.claim(ledger, first)
    other = tmp_path / "machine-b"
    other.mkdir()
    (other / "blobs").symlink_to(first.root)
    about.claim(ledger, Store(other / "blobs"))


def test_a_client_with_another_folder_cannot_submit(ledger, ledger_url, first, tmp_path):
    about.claim(ledger, first)
    with Farm(settings=Settings(state=tmp_path / "second", ledger_url=ledger_url)) as farm:
        with pytest.raises(WrongStore, match="one folder of blobs"):
            farm.blobs.put(b"program")
        assert farm.ledger.jobs() == []
    assert not (tmp_path / "second" / "blobs").exists()


def test_a_second_farm_on_the_ledger_does_not_come_up(ledger_url, ledger, first, tmp_path):
    about.claim(ledger, first)
    scratch = {"broker_url": ledger_url, "scratch_url": ledger_url, "flower": False}
    with pytest.raises(WrongStore):
        up.check(Settings(state=tmp_path / "second", ledger_url=ledger_url, **scratch))


def test_what_is_noted_can_be_read(ledger):
    about.note(ledger, {"scheduler": about.version(), "swept": "5"})
    about.note(ledger, {"swept": "6"})
    assert about.read(ledger) == {"scheduler": about.version(), "swept": "6"}
    assert ledger.client.ttl(keys.ABOUT) == -1


def test_a_ledger_that_was_emptied_does_not_sweep_what_another_named(ledger, ledger_url, first):
    about.claim(ledger, first)
    about.check_sweep(ledger, first)
    ref = DirectoryBlobs(first.root).put(b"named by the ledger that there was")
    ledger.client.flushall()
    about.claim(ledger, first)
    settings = Settings(state=first.root.parent, step_seconds=0)
    with pytest.raises(WrongLedger, match="nothing is swept"):
        sweeper.once(settings, Remains.at(ledger_url), first)
    assert DirectoryBlobs(first.root).has(ref)
    # The operator says that it is gone for good.
    (first.root / LEDGER).unlink()
    about.claim(ledger, first)
    assert sweeper.once(settings, Remains.at(ledger_url), first).blobs == 1


def test_a_ledger_without_a_store_does_not_sweep(ledger, ledger_url, first):
    with pytest.raises(WrongStore):
        sweeper.once(Settings(state=first.root.parent), Remains.at(ledger_url), first)
