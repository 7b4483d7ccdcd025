"""Fixtures that more than one tier of tests uses."""

import os
import shlex
import sys
from pathlib import Path

import pytest

from farm import locate
from farm import settings as config
from farm.errors import HostMissing, KernelMissing

# Farms of tests have no API unless a test gives them one: its port would be that of another.
os.environ["FARM_API"] = "false"

STANDIN = Path(__file__).with_name("standin_host.py")


@pytest.fixture(scope="session")
def host():
    """The built farm-host; without one, the tests that need it fail in CI and skip at home."""
    try:
        return locate.find(config.load())
    except HostMissing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def kernel():
    """The path of the built trace kernel; without one, as for the host."""
    try:
        return locate.kernel(config.load().kernel)
    except KernelMissing as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def standin(tmp_path):
    """Return a maker of stand-in hosts: programs that speak frames and do as the verb says."""

    def make(**environment: str) -> str:
        path = tmp_path / "farm-host"
        given = " ".join(f"{name}={shlex.quote(value)}" for name, value in environment.items())
        path.write_text(
            f'#!/bin/sh\nexec env {given} {shlex.quote(sys.executable)} -S {STANDIN} "$@"\n'
        )
        path.chmod(0o700)
        return str(path)

    return make


def pytest_addoption(parser):
    parser.addoption("--prove", action="store_true", help="also run minutes of real proving")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--prove"):
        return
    for item in items:
        if item.get_closest_marker("prove"):
            item.add_marker(pytest.mark.skip(reason="minutes of real proving: run `make prove`"))
