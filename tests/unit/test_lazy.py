"""Parts that are made when first asked for: once, whichever of many threads asks first."""

import threading
import time

import pytest
from fake_farm import FakeLedger, MemoryScratch

from farm import Farm, client
from farm import settings as config
from farm.gather import Gatherer
from farm.lazy import lazy


class Owner:
    """Something with parts, one made of another."""

    def __init__(self):
        self._lock, self.made = threading.RLock(), []

    @lazy
    def base(self):
        """Say what this is."""
        self.made.append("base")
        time.sleep(0.01)
        return object()

    @lazy
    def built(self):
        self.made.append("built")
        return [self.base]

    @lazy
    def broken(self):
        self.made.append("broken")
        raise ValueError


def each(count, ask):
    """Return what `ask` returns in so many threads at once."""
    found, barrier = [], threading.Barrier(count, timeout=10)

    def run():
        barrier.wait()
        found.append(ask())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_many_threads_get_one():
    one = Owner()
    found = each(16, lambda: one.built)
    assert len(found) == 16 and {id(built) for built in found} == {id(one.built)}
    assert one.made == ["built", "base"] and one.built == [one.base]


def test_each_object_has_its_own():
    assert Owner().base is not Owner().base
    assert Owner.base.__doc__ == "Say what this is."


def test_one_that_is_set_is_not_made():
    one = Owner()
    one.base = 7
    assert one.built == [7] and one.made == ["built"]


def test_one_that_cannot_be_made_is_tried_again():
    one = Owner()
    for _ in range(2):
        with pytest.raises(ValueError):
            one.broken  # noqa: B018
    assert one.made == ["broken"] * 2


def test_the_first_single_submits_of_many_threads_share_a_gatherer(tmp_path, monkeypatch):
    made = []

    def slow(*given):
        made.append(given)
        time.sleep(0.01)
        return Gatherer(*given)

    monkeypatch.setattr(client, "Gatherer", slow)
    with Farm(settings=config.load(state=tmp_path)) as farm:
        farm.ledger, farm.scratch = FakeLedger(), MemoryScratch()
        monkeypatch.setattr(Gatherer, "_rouse", lambda self: None)  # no thread is needed
        each(16, lambda: farm.submit_trace("fib.v0", 3))
        assert len(made) == 1 and sum(map(len, farm._gatherer._lots)) == 16
        monkeypatch.setattr(Gatherer, "close", lambda self: None)
