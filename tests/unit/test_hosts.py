"""What a slot says it holds, by the host that it has."""

import pytest

from farm import gpu, hosts
from farm.host import Greeting
from farm.settings import Settings


def greeting(*features, mode="real"):
    return Greeting(1, "0.1.0", "3.0.6", list(features), mode, 7)


@pytest.fixture
def gpu_of(monkeypatch):
    return lambda gib: monkeypatch.setattr(gpu, "memory", lambda: gib << 30)


def test_a_slot_on_cores_holds_what_its_share_of_memory_does(gpu_of):
    gpu_of(32)
    assert hosts.largest(Settings(), greeting("cpu"), 12 << 30) == 20
    assert hosts.largest(Settings(), greeting("cpu"), 1 << 30) == 14, "never nothing"


def test_a_gpu_counts_where_it_tells_its_memory(gpu_of):
    gpu_of(16)
    assert hosts.largest(Settings(), greeting("cuda"), 900 << 30) == 20
    gpu_of(0)
    assert hosts.largest(Settings(), greeting("cuda"), 12 << 30) == 20


def test_what_proves_nothing_itself_holds_everything():
    assert hosts.largest(Settings(), greeting("verify", mode="replay"), 1 << 30) == 0


def test_a_simulated_slot_holds_what_its_profile_says():
    settings = Settings(simulated="rtx4000ada")
    told = greeting("simulated", mode="simulated")
    assert hosts.largest(settings, told, 1 << 30) == hosts.largest(settings, told, 900 << 30) > 14
