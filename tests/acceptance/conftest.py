"""Farms for the acceptance tests: real processes, golden receipts, the real verifier."""

import os
import subprocess
import sys
from pathlib import Path

import crates
import pytest
from console import farm_in, free_port
from goldens import GOLDEN, PO2

BUILD = Path(__file__).resolve().parents[2] / "host" / "build.py"


@pytest.fixture(scope="session")
def verify_host():
    """The small build of farm-host that only verifies, as `make test` leaves it."""
    command = [sys.executable, BUILD, "--features", "verify", "--print"]
    built = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        missing = "no farm-host that only verifies: python3 host/build.py --features verify"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    return built.stdout.strip()


@pytest.fixture(scope="session")
def verifier(host):
    """A program of a user's own that knows risc0-zkvm alone, built."""
    return crates.built("verifier", "--release")


@pytest.fixture(scope="session")
def crate(host):
    """A program that makes and verifies sets by RISC Zero's own crate, built."""
    return crates.built("sets")


@pytest.fixture(scope="session")
def bonsai_program(host):
    """A program that knows bonsai-sdk and risc0-zkvm alone, built."""
    return crates.built("bonsai", "--release")


@pytest.fixture(scope="module")
def replay_farm(tmp_path_factory, host):
    """A farm whose hosts answer from golden receipts at once."""
    yield from farm_in(tmp_path_factory.mktemp("farm"), host=host, replay=str(GOLDEN))


@pytest.fixture(scope="module")
def api_farm(tmp_path_factory, host):
    """The same with an API, and segments of the size that the golden ones have."""
    how = {"replay": str(GOLDEN), "api": True, "api_port": free_port(), "segment_po2": PO2}
    yield from farm_in(tmp_path_factory.mktemp("farm"), host=host, **how)


@pytest.fixture
def slow_farm(tmp_path, host):
    """A farm of its own whose hosts take their time, so that things happen meanwhile."""
    quick = {"beat_seconds": 0.25, "resend_seconds": 3, "stall_seconds": 2}
    yield from farm_in(tmp_path, host=host, replay=str(GOLDEN), replay_delay_ms=1500, **quick)
