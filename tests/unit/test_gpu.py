"""The memory of the GPUs, as their driver's command tells it."""

import pytest

from farm import gpu


@pytest.fixture
def says(monkeypatch, tmp_path):
    def put(script):
        command = tmp_path / "nvidia-smi"
        command.write_text(f"#!/bin/sh\n{script}\n")
        command.chmod(0o700)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return put


def test_the_smallest_counts(says):
    says("echo 24564; echo 16376")
    assert gpu.memory() == 16376 << 20


def test_only_those_that_may_be_used_are_asked_for(says, monkeypatch):
    says('case "$*" in *--id=1*) echo 8192;; *) echo 4096; echo 8192;; esac')
    assert gpu.memory() == 4096 << 20
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert gpu.memory() == 8192 << 20


@pytest.mark.parametrize("script", ["exit 9", "echo '[N/A]'", "true"])
def test_what_cannot_be_told_is_not_known(says, script):
    says(script)
    assert gpu.memory() == 0


def test_without_a_driver_it_is_not_known(says):
    assert gpu.memory() == 0
