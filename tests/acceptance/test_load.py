"""What an operator gets from the load programs on a farm that answers from golden receipts."""

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from tally import read

LOAD = Path(__file__).resolve().parents[2] / "load"

# Not imported: it patches sockets and threads of whoever does.
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("locust") is None, reason="the extra `load` is not installed"
)


def locust(operator, folder, *words, **env):
    command = [sys.executable, "-m", "locust", "-f", str(LOAD / "locustfile.py"), "--headless"]
    command += ["--rows", "500", "-s", "60", "--records", str(folder), *words]
    return subprocess.run(
        command, env=operator.env | env, capture_output=True, text=True, timeout=120
    )


def test_every_kind_of_user_gets_what_it_asked_for(replay_farm, tmp_path):
    done = locust(replay_farm, tmp_path, "-u", "10", "-r", "10", "-t", "3s")
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "requests.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["kind"] for row in rows} == {"batch", "single", "risc0"}
    assert {row["proofs"] for row in rows if row["kind"] == "batch"} == {"500"}
    assert {row["failed"] for row in rows} == {"0"}
    assert read(tmp_path / "tally.json").verified > 0


def test_what_a_farm_that_is_away_does_not_answer_is_a_failure(replay_farm, tmp_path):
    away = {"FARM_STATE": str(tmp_path / "away")}
    done = locust(replay_farm, tmp_path, "BatchUser", "-u", "2", "-r", "2", "-t", "1s", **away)
    assert done.returncode == 1
    counted = read(tmp_path / "tally.json")
    assert counted.failed > 0
    assert counted.unanswered == counted.asked
