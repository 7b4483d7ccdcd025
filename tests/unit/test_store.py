"""The folder of blobs as a whole: one id, nothing lost that is put while a sweep goes on."""

import os
import threading

import pytest

from farm.blobs import DirectoryBlobs
from farm.errors import BlobMissing, StoreFailed
from farm.store import GONE, Store

LATER = 10.0**12


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "blobs")


@pytest.fixture
def blobs(store):
    return DirectoryBlobs(store.root)


def age(store, ref, seconds=10_000):
    path = store.root / ref[:2] / ref
    os.utime(path, (store.now() - seconds,) * 2)


def file_of(store, ref):
    return next(file for file in store.files() if file.ref == ref)


def test_the_id_is_made_once_and_stays(store):
    assert store.known() == ""
    assert store.id() == store.id() == store.known() == Store(store.root).id()
    assert len(store.id()) == 32
    assert [path.name for path in store.root.iterdir()] == [".id"]


def test_of_many_that_make_an_id_one_is_first(store):
    found = []
    threads = [threading.Thread(target=lambda: found.append(store.id())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1


def test_every_blob_is_found_with_its_size_and_nothing_else_is_one(store, blobs):
    refs = {blobs.put(bytes(size)): size for size in range(20)}
    store.id()
    (store.root / "ab").mkdir(exist_ok=True)
    (store.root / "ab" / ".draft").write_text("half")
    found = list(store.files())
    assert {file.ref: file.size for file in found if file.ref} == refs
    assert [file.path.name for file in found if not file.ref] == [".draft"]


def test_a_store_that_is_not_there_has_nothing(store):
    assert list(store.files()) == []


def test_only_what_is_old_is_removed(store, blobs):
    old, young = blobs.put(b"old"), blobs.put(b"young")
    age(store, old)
    before = store.now() - 5000
    assert [store.old(file_of(store, ref), before) for ref in (old, young)] == [True, False]
    assert store.remove(file_of(store, old), before)
    assert not store.remove(file_of(store, young), before)
    assert (blobs.has(old), blobs.has(young)) == (False, True)


def test_putting_what_is_there_makes_it_young(store, blobs):
    ref = blobs.put(b"body")
    age(store, ref)
    file, before = file_of(store, ref), store.now() - 5000
    assert blobs.put(b"body") == ref
    assert not store.remove(file, before)
    assert blobs.get(ref) == b"body"


def test_what_is_put_again_at_the_last_moment_stays(store, blobs, monkeypatch):
    ref = blobs.put(b"body")
    age(store, ref)
    file, before = file_of(store, ref), store.now() - 5000
    rename = type(file.path).rename

    def late(path, target):
        if path == file.path:
            blobs.put(b"body")  # after the sweep has looked at its age
        return rename(path, target)

    monkeypatch.setattr(type(file.path), "rename", late)
    assert not store.remove(file, before)
    assert blobs.get(ref) == b"body"


def test_what_a_broken_off_sweep_took_comes_back_if_it_is_young(store, blobs):
    young, old = blobs.put(b"young"), blobs.put(b"old")
    for ref in (young, old):
        path = store.root / ref[:2] / ref
        path.rename(path.with_name(GONE + ref))
    gone = store.root / old[:2] / (GONE + old)
    os.utime(gone, (1, 1))
    removed = {file.path.name: store.remove(file, store.now() - 5000) for file in store.files()}
    assert removed == {GONE + young: False, GONE + old: True}
    assert blobs.get(young) == b"young"
    with pytest.raises(BlobMissing):
        blobs.get(old)


def test_a_file_that_is_gone_already_is_no_error(store, blobs):
    ref = blobs.put(b"body")
    file = file_of(store, ref)
    blobs.delete(ref)
    assert not store.remove(file, LATER)
    assert not store.old(file, LATER)


def test_a_store_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "blobs").write_text("a file")
    with pytest.raises(StoreFailed, match="cannot write"):
        Store(tmp_path / "blobs").id()
