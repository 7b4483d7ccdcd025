"""Fixtures for what is typed: a farm in memory, the command line, a program."""

import pytest
from fake_farm import FakeLedger, MemoryBlobs, MemoryScratch

from farm import Farm, client, verify
from farm import settings as config
from farm.cli import main
from farm.verify import Verified

IMAGE = "ab" * 32


@pytest.fixture
def typed_farm(tmp_path, monkeypatch):
    """The farm of every command; whatever it has verified is right."""
    made = Farm(settings=config.load(state=tmp_path, trace_cache="off"))
    made.ledger, made.blobs, made.scratch = FakeLedger(), MemoryBlobs(), MemoryScratch()
    monkeypatch.setattr(client, "Farm", lambda: made)
    monkeypatch.setattr(verify, "image_id", lambda program, settings: IMAGE)
    monkeypatch.setattr(verify, "verify", lambda *_: Verified("succinct", "cd" * 32, b"journal"))
    return made


@pytest.fixture
def farm_cli(capsys):
    """Run one command; return exit code, stdout, stderr."""

    def run(*arguments):
        with pytest.raises(SystemExit) as ended:
            main([str(one) for one in arguments])
        captured = capsys.readouterr()
        return ended.value.code, captured.out, captured.err

    return run


@pytest.fixture
def guest(tmp_path):
    """The file of a program."""
    path = tmp_path / "guest.bin"
    path.write_bytes(b"program")
    return path
