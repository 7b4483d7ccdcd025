"""The commands and the Python of the README, as they stand there, over golden receipts."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from console import Operator
from goldens import GOLDEN, PO2

from farm import embedded

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text()
SHELL = next(part for part in re.findall(r"```\n(.*?)```", TEXT, re.S) if "farm up" in part)
PYTHON = re.search(r"```python\n(.*?)```", TEXT, re.S)[1]


@pytest.fixture
def reader(tmp_path, host):
    """Somebody in a folder with the guests, `farm` on the PATH."""
    (tmp_path / "guest").symlink_to(ROOT / "guest")
    known = {"flower": False, "segment_po2": PO2, "host": host, "replay": str(GOLDEN)}
    one = Operator(tmp_path / "state", **known)
    one.env["PATH"] = f"{Path(sys.executable).parent}:{one.env['PATH']}"
    yield one
    one.types("down", "--now")
    assert one.left() == []


def run(reader, command):
    """Run one line of a shell in the reader's folder; return what it says."""
    where = reader.state.parent
    return subprocess.run(
        command, shell=True, cwd=where, env=reader.env, check=True, capture_output=True, text=True
    ).stdout


def test_every_command_works_as_it_stands(reader):
    lines = [line.partition("#")[0].strip() for line in SHELL.splitlines()]
    assert lines[0].startswith("make install host")
    for line in lines[1:]:
        # The golden session has another input than the README's, which takes real proving.
        command = line.replace("u32:1000", "u32:10")
        assert shlex.split(command)[0] == "farm"
        run(reader, command)
    assert not embedded.servers(reader.settings)[0].folder.joinpath("server.sock").exists()


def test_the_python_works_as_it_stands(reader):
    reader.start()
    program = PYTHON.replace("u32(1000)", "u32(10)")
    (reader.state.parent / "readme.py").write_text(program + "\nprint(outputs.outputs[:5])\n")
    said = run(reader, f"{sys.executable} readme.py").splitlines()
    assert said == ["2973", "55", "[1 1 2 3 5]"]
