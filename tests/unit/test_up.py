"""What is settled before anything starts, and what is said once it has."""

import socket

import pytest

from farm import report, running, up
from farm.errors import BadSetting, HostMissing, PortInUse
from farm.settings import Settings

NOWHERE = "/nowhere/farm-host"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Be a user without a farm-host and without settings."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return Settings(state=tmp_path / "state", flower=False)


def test_processes_get_the_settings_that_were_given(monkeypatch, tmp_path):
    tables = {"tenants": {"one": 2.0}, "aggregate": {"size": 3}}
    given = Settings(state=tmp_path, slots=3, flower=False, ledger_url="redis://h", **tables)
    for name, value in up.environment(given).items():
        monkeypatch.setenv(name, value)
    assert Settings() == given


def test_without_a_host_one_line_says_so(bare):
    assert up.check(bare) == [up.NO_HOST]


def test_a_simulated_farm_needs_no_host_and_says_what_it_is(bare):
    simulated = bare.model_copy(update={"simulated": "l40s", "host": NOWHERE})
    assert up.check(simulated) == [up.SIMULATED.format("l40s")]
    with pytest.raises(BadSetting, match="no profile"):
        up.check(bare.model_copy(update={"simulated": "l4"}))


def test_a_host_that_was_named_must_be_there(bare):
    with pytest.raises(HostMissing, match=NOWHERE):
        up.check(bare.model_copy(update={"host": NOWHERE}))


def test_a_taken_port_is_refused(bare):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"port {port} is in use"):
            up.check(bare.model_copy(update={"flower": True, "flower_port": port}))


def test_the_summary_counts_who_works_and_shows_the_notes(tmp_path):
    states = {"ledger": 1, "risc0-0": 2, "risc0-1": 3, "trace-0": 4, "trace-1": 0, "flower": 5}
    processes = [running.ProcessStatus(name, pid, 0, "") for name, pid in states.items()]
    status = running.Status(9, True, processes, "http://x", "/pw", ["trace-1 is off: why"])
    assert report.summary(Settings(state=tmp_path), status) == [
        f"the farm is up in {tmp_path} (process 9)",
        "workers: 2 risc0, 1 trace",
        "Flower: http://x (user farm, password in /pw)",
        "trace-1 is off: why",
    ]
