"""Where the compiled parts are found: the operator's word, PATH, the cache; in that order."""

import pytest

from farm import locate
from farm.errors import HostMissing, KernelMissing
from farm.settings import Settings


@pytest.fixture(autouse=True)
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("FARM_HOST", raising=False)


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return str(path)


def test_nothing_anywhere_says_where_it_looked(tmp_path):
    with pytest.raises(
        HostMissing, match=r"no farm-host at PATH or .*cache/proving-farm/bin; build"
    ):
        locate.find(Settings())


def test_the_cache_is_the_last_place(tmp_path):
    cached = program(tmp_path / "cache/proving-farm/bin/farm-host")
    assert locate.find(Settings()) == cached
    on_path = program(tmp_path / "bin/farm-host")
    assert locate.find(Settings()) == on_path


def test_what_the_operator_named_is_not_replaced(tmp_path, monkeypatch):
    program(tmp_path / "bin/farm-host")
    mine = program(tmp_path / "mine")
    monkeypatch.setenv("FARM_HOST", mine)
    assert locate.find(Settings()) == mine
    with pytest.raises(HostMissing, match="elsewhere"):
        locate.find(Settings(host=str(tmp_path / "elsewhere")))


def test_the_kernel_lies_beside_the_host_or_where_the_operator_says(tmp_path):
    with pytest.raises(KernelMissing, match=r"/bin/libfarm_kernel.so: there is no such"):
        locate.kernel("")
    cached = program(tmp_path / "cache/proving-farm/bin/libfarm_kernel.so")
    assert locate.kernel("") == cached
    mine = program(tmp_path / "mine.so")
    assert locate.kernel(mine) == mine
    with pytest.raises(KernelMissing, match=r"elsewhere.so"):
        locate.kernel(str(tmp_path / "elsewhere.so"))
