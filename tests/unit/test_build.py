"""The build script: what cargo is told, and which binary the farm finds afterwards."""

import argparse
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "host"))
import build


def given(**said):
    asked = {"kernel": False, "features": "cpu", "profile": "ci", "test": False, "clippy": False}
    return argparse.Namespace(**asked | said)


def binary(folder, name="farm-host"):
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text(folder.name)
    return path


def test_the_kernel_alone_knows_no_features():
    only = ["--locked", "--profile", "ci", "--package", "farm-kernel"]
    [command] = build.commands(given(kernel=True))
    assert command == ["cargo", "build", *only]
    [command] = build.commands(given(kernel=True, test=True))
    assert command == ["cargo", "test", *only]


@pytest.mark.parametrize("features", ["cpu", "verify"])
def test_a_host_comes_with_its_kernel(features, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "key", lambda: "k")
    commands = build.commands(given(features=features))
    assert commands[0] == build.commands(given(kernel=True))[0]
    assert commands[1][-2:] == ["--features", features]
    names = [path.name for path in build.places(given(features=features), tmp_path)]
    assert names == ["libfarm_kernel.so", "farm-host"]


def test_the_last_build_is_found_unless_it_only_verifies(tmp_path):
    current = tmp_path / "farm-host"
    verifies, proves = binary(tmp_path / "k-verify-ci"), binary(tmp_path / "k-cpu-ci")
    for built, found in [(verifies, verifies), (proves, proves), (verifies, proves)]:
        build.link(built, current)
        assert current.resolve() == found
