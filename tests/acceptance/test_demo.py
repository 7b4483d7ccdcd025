"""The demo as a user types it, over golden receipts: its rows, and that nothing is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from goldens import GOLDEN

pytestmark = [pytest.mark.redis, pytest.mark.host]


@pytest.fixture
def demo(tmp_path):
    """Return a maker of running demos; their files go under the test's own folder."""

    def start(**settings):
        given = {f"FARM_{name.upper()}": str(value) for name, value in settings.items()}
        env = os.environ | given | {"TMPDIR": str(tmp_path), "FARM_FLOWER": "false"}
        return subprocess.Popen(
            [sys.executable, "-m", "farm", "demo", "--no-compare"],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    yield start
    assert left(tmp_path) == [] and list(tmp_path.iterdir()) == []


def left(folder):
    """Return the processes that still work in the folder."""
    found = []
    for process in psutil.process_iter():
        try:
            state = process.environ().get("FARM_STATE", "")
        except psutil.Error:
            continue
        if Path(state).is_relative_to(folder) and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def test_every_row_is_verified(demo, host):
    running = demo(host=host, replay=GOLDEN)
    out, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    rows = [line for line in out.splitlines() if line.startswith("│")]
    assert len(rows) == 3 and all(" yes " in row for row in rows)
    assert "100,000" in rows[0]


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_proof_stops_everything(demo, host, kind):
    running = demo(host=host, replay=GOLDEN, replay_delay_ms=20_000)
    for line in running.stderr:
        if "proving" in line:
            break
    os.killpg(running.pid, kind)
    time.sleep(0.1)
    os.killpg(running.pid, kind)  # a second Ctrl-C must not leave half of it running
    running.communicate(timeout=60)
    assert running.returncode != 0
