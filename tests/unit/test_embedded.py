"""Addresses of a farm: the operator's, or those of its own servers."""

import pytest

from farm import embedded, socketdir
from farm.errors import BadSetting, LedgerDown
from farm.settings import Settings


def test_no_farm_up_says_what_to_do(tmp_path):
    with pytest.raises(LedgerDown, match=r"no farm is up there.*see `farm up`"):
        embedded.urls(Settings(state=tmp_path))


def test_one_given_server_serves_all_three(tmp_path):
    urls = embedded.urls(Settings(state=tmp_path, ledger_url="redis://:pw@h:1/3"))
    assert urls == ("redis://:pw@h:1/3", "redis://:pw@h:1/4", "redis://:pw@h:1/5")


def test_other_given_servers_are_taken(tmp_path):
    given = Settings(
        state=tmp_path, ledger_url="redis://h", broker_url="redis://b", scratch_url="redis://s"
    )
    assert embedded.urls(given) == ("redis://h", "redis://b", "redis://s")
    assert embedded.servers(given) == ()


def test_an_address_of_no_server_is_refused(tmp_path):
    with pytest.raises(BadSetting):
        embedded.urls(Settings(state=tmp_path, ledger_url="http://h"))


def test_servers_that_are_not_needed_are_not_run(tmp_path):
    given = Settings(state=tmp_path, broker_url="redis://b", scratch_url="redis://s")
    assert [server.name for server in embedded.servers(given)] == ["ledger"]
    both = embedded.servers(Settings(state=tmp_path))
    assert [server.name for server in both] == ["ledger", "scratch"]


@pytest.mark.parametrize(
    ("total", "cap"), [(1 << 30, 256 << 20), (8 << 30, 2 << 30), (1 << 40, 4 << 30)]
)
def test_scratch_takes_a_bounded_share_of_memory(total, cap):
    assert embedded.scratch_bytes(total) == cap


def test_a_long_path_gets_a_private_socket_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    folder = tmp_path / ("long" * 30)
    folder.mkdir(mode=0o700)
    assert socketdir.find(folder) is None
    made = socketdir.make(folder)
    assert len(str(made)) < 108
    assert socketdir.find(folder) == socketdir.make(folder) == made
    made.touch()
    socketdir.remove(folder)
    assert not made.parent.exists()
    assert socketdir.find(folder) is None


def test_a_socket_folder_opened_by_somebody_is_not_used_again(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    tmp_path.chmod(0o700)
    folder = tmp_path / ("long" * 30)
    folder.mkdir(mode=0o700)
    made = socketdir.make(folder)
    made.parent.chmod(0o777)
    assert socketdir.make(folder) != made
