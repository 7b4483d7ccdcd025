"""What an operator types: up, down, twice, Ctrl-C, kill -9; nothing stays behind."""

import os
import signal
import socket
import subprocess
import time

import pytest
from console import FARM, Operator, free_port, until

from farm import embedded, running

WORKERS = {"risc0-0", "execute-0", "trace-0"}


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def operator(tmp_path, standin, port):
    one = Operator(
        tmp_path / "state", host=standin(), slots=1, trace_slots=1, flower_port=port, machine="m"
    )
    yield one
    one.types("down", "--now")
    assert one.left() == []


def test_up_and_down(operator):
    with operator.types_up() as (up, processes):
        servers = {"ledger", "scratch"}
        assert set(processes) == WORKERS | servers | {"scheduler", "sweeper", "flower"}
        again = operator.types("up")
        assert again.returncode == 1
        assert f"a farm is up already in {operator.state} (process {up.pid})" in again.stderr
        assert operator.types("down").returncode == 0
        assert up.wait(5) == 0
        said = up.stderr.read()
    assert "workers: 1 risc0, 1 execute, 1 trace" in said
    assert str(operator.state / "flower" / "password") in said
    assert operator.left() == []


def test_in_the_background(operator):
    up = operator.types("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "Flower: http://127.0.0.1:" in up.stderr
    status = running.status(operator.state)
    assert status.ready
    assert status.flower in up.stderr
    assert operator.types("down").returncode == 0
    assert operator.left() == []


def test_down_without_a_farm_is_no_error(operator):
    down = operator.types("down")
    assert (down.returncode, down.stderr) == (0, f"no farm is up in {operator.state}\n")


def test_what_is_killed_comes_back_and_nothing_else_stops(operator):
    with operator.types_up() as (up, before):
        for name in before:
            os.kill(before[name].pid, signal.SIGKILL)
            until(lambda name=name: operator.processes()[name].restarts == 1)
            until(lambda name=name: operator.processes()[name].pid)
        after = operator.processes()
        assert {one.restarts for one in after.values()} == {1}
        assert not {one.pid for one in after.values()} & {one.pid for one in before.values()}
        assert up.poll() is None


@pytest.mark.parametrize("signals", [[signal.SIGINT, signal.SIGINT], [signal.SIGQUIT]])
def test_an_impatient_operator_leaves_nothing_behind(operator, signals):
    with operator.types_up() as (up, _):
        for number in signals:
            up.send_signal(number)
            time.sleep(0.2)
        assert up.wait(10) == 0
    assert operator.left() == []


def test_ctrl_c_while_it_starts_leaves_nothing_behind(operator):
    with subprocess.Popen([*FARM, "up"], env=operator.env, stderr=subprocess.DEVNULL) as up:
        until(lambda: running.holder(operator.state) == up.pid)
        until(lambda: len(operator.left()) > 3)
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0
    assert operator.left() == []


def test_a_killed_supervisor_takes_everything_with_it(operator):
    with operator.types_up() as (up, _):
        up.kill()
        up.wait()
        until(lambda: operator.left() == [])
    # And what it left on disk is no obstacle.
    with operator.types_up():
        pass


def test_a_taken_port_is_said_before_anything_starts(operator, port):
    with socket.create_server(("127.0.0.1", port)):
        up = operator.types("up")
    assert up.returncode == 1
    assert f"port {port} is in use; give Flower another" in up.stderr
    assert not (operator.state / "ledger").exists()
    assert operator.types("up", "--no-flower", "--detach").returncode == 0


def test_without_a_host_trace_works_and_one_line_says_so(operator, tmp_path):
    operator.env.pop("FARM_HOST")
    operator.env["XDG_CACHE_HOME"] = str(tmp_path)
    operator.env["PATH"] = "/usr/bin:/bin"
    up = operator.types("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "workers: 1 trace\n" in up.stderr
    assert "no farm-host: RISC0 proving is off (trace works)" in up.stderr


def test_a_host_of_another_version_is_said_and_not_tried_again(operator, standin):
    operator.env["FARM_HOST"] = standin(FARM_STANDIN_ZKVM="2.0.0")
    up = operator.types("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert "workers: 1 trace\n" in up.stderr
    assert up.stderr.count("build it again with `make host`") == 2
    restarts = {one.name: one.restarts for one in running.status(operator.state).processes}
    assert restarts["risc0-0"] == 0


def test_a_server_of_ones_own_is_used_and_what_it_may_lose_is_said(operator, tmp_path):
    server = embedded.Server("ledger", tmp_path / "own")
    server.prepare()
    command = [*server.command(), "--appendonly", "no"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as own:
        until((server.folder / "server.sock").exists)
        operator.env["FARM_LEDGER_URL"] = server.url()
        up = operator.types("up", "--detach")
        assert up.returncode == 0, up.stderr
        assert "accepted work is lost when it stops" in up.stderr
        assert {one.name for one in running.status(operator.state).processes} >= WORKERS
        assert not (operator.state / "ledger").exists()
        operator.types("down", "--now")
        own.terminate()


def test_a_wrong_password_is_one_line_and_nothing_starts(operator, tmp_path):
    server = embedded.Server("ledger", tmp_path / "own")
    server.prepare()
    with subprocess.Popen(server.command(), stdout=subprocess.DEVNULL) as own:
        until((server.folder / "server.sock").exists)
        operator.env["FARM_LEDGER_URL"] = f"unix://:guess@{server.folder}/server.sock"
        up = operator.types("up")
        assert (up.returncode, up.stderr.count("\n")) == (1, 1)
        assert "refused the password" in up.stderr
        assert "guess" not in up.stderr
        assert not (operator.state / "logs").exists()
        own.terminate()


@pytest.mark.parametrize("name", ["FARM_LEDGER_URL", "FARM_BROKER_URL", "FARM_SCRATCH_URL"])
def test_a_given_server_that_is_down_is_one_line_and_nothing_starts(operator, tmp_path, name):
    operator.env[name] = f"unix://{tmp_path}/away.sock"
    up = operator.types("up")
    assert (up.returncode, up.stderr.count("\n")) == (1, 1)
    assert "away.sock" in up.stderr
    assert not (operator.state / "logs").exists()
