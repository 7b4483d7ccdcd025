"""Build, test or lint farm-host and the trace kernel: one cargo target folder outside the tree.

    python3 host/build.py [--features cpu|cuda|verify | --kernel] [--profile ci|release]
                          [--test | --clippy | --print]

The binaries lie beside that folder; `--kernel` builds the kernel alone, in seconds.

The folder is keyed by Cargo.lock, the compiler and the flags in force, so that neither a
checkout elsewhere nor a branch with another lock builds the C++ kernels again.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import archive

HERE = Path(__file__).resolve().parent
NAME = "farm-host"
KERNEL = "libfarm_kernel.so"

#: What changes the code that comes out; anything else may differ between two builds of one key.
FLAGS = (
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CC",
    "CXX",
    "CFLAGS",
    "CXXFLAGS",
    "NVCC_APPEND_FLAGS",
    "NVCC_PREPEND_FLAGS",
)


def main() -> int:
    """Do what the command line says; return the exit code."""
    given = parse()
    cache = cache_home()
    built = places(given, cache / "bin")
    if given.print:
        sys.stdout.write(f"{built[-1]}\n")
        return 0 if built[-1].is_file() else 1
    try:
        with locked(cache):
            return build(given, cache, built)
    except (archive.NoArchive, FileNotFoundError) as error:
        return fail(str(error))


def parse() -> argparse.Namespace:
    """Return what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--features", choices=("cpu", "cuda", "verify"), default="cpu")
    which.add_argument("--kernel", action="store_true", help="the trace kernel alone")
    parser.add_argument("--profile", choices=("ci", "release"), default="ci")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--test", action="store_true", help="run the tests")
    what.add_argument("--clippy", action="store_true", help="lint, and check the format")
    what.add_argument("--print", action="store_true", help="print where it lies")
    return parser.parse_args()


def places(given: argparse.Namespace, folder: Path) -> list[Path]:
    """Return where each file that a build makes goes; the last is the one it is asked for."""
    kernel = folder / f"{key()}-kernel-{given.profile}" / KERNEL
    host = folder / f"{key()}-{given.features}-{given.profile}" / NAME
    return [kernel] if given.kernel else [kernel, host]


def build(given: argparse.Namespace, cache: Path, built: list[Path]) -> int:
    """Run cargo; put what it built where the farm finds it and print the path."""
    target = cache / "target" / key()
    environment = {**os.environ, "CARGO_TARGET_DIR": str(target)}
    if given.features != "verify" and not given.kernel:
        # Always the kept file: cargo builds the recursion circuit again when this name changes.
        environment["RECURSION_SRC_PATH"] = str(archive.provide(cache))
    claim(target)
    for command in commands(given):
        # Only the path goes to stdout.
        done = subprocess.run(command, cwd=HERE, env=environment, stdout=sys.stderr)
        if done.returncode:
            return done.returncode
    if not (given.test or given.clippy):
        for binary in built:
            publish(target / given.profile / binary.name, binary)
            link(binary, cache / "bin" / binary.name)
        sys.stdout.write(f"{built[-1]}\n")
    return 0


def claim(target: Path) -> None:
    """Have our own crates built again if another checkout built them last.

    cargo tells files by their times: to it, an older checkout has nothing new.
    """
    owner = target / "checkout"
    if owner.is_file() and owner.read_text() == str(HERE):
        return
    for source in HERE.rglob("*.rs"):
        source.touch()
    target.mkdir(parents=True, exist_ok=True)
    owner.write_text(str(HERE))


def commands(given: argparse.Namespace) -> list[list[str]]:
    """Return the cargo commands of this run."""
    chosen = ["--locked", "--profile", given.profile]
    kernel = [*chosen, "--package", "farm-kernel"]
    host = [*chosen, "--no-default-features", "--features", given.features]
    these = kernel if given.kernel else [*host, "--workspace"]
    if given.clippy:
        lint = ["cargo", "clippy", *these, "--all-targets", "--", "-Dwarnings"]
        return [["cargo", "fmt", "--all", "--check"], lint]
    if given.test:
        return [["cargo", "test", *these]]
    asked = [kernel] if given.kernel else [kernel, host]
    return [["cargo", "build", *which] for which in asked]


def key() -> str:
    """Return the name of the target folder for this lock, compiler and flags."""
    try:
        compiler = subprocess.check_output(["rustc", "-vV"], cwd=HERE)
    except FileNotFoundError:
        raise FileNotFoundError("rustc not found: install Rust by rustup") from None
    flags = [f"{name}={os.environ[name]}" for name in FLAGS if name in os.environ]
    parts = [(HERE / "Cargo.lock").read_bytes(), compiler, *map(str.encode, flags)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def publish(built: Path, binary: Path) -> None:
    """Copy a binary beside its old self; one that runs keeps running."""
    binary.parent.mkdir(parents=True, exist_ok=True)
    fresh = binary.with_suffix(f".{os.getpid()}")
    shutil.copy2(built, fresh)
    fresh.replace(binary)


def link(binary: Path, current: Path) -> None:
    """Let `current` name the binary; one that only verifies never takes a prover's place."""
    proves = current.is_file() and "-verify-" not in str(current.resolve())
    if "-verify-" in binary.parent.name and proves:
        return
    fresh = current.with_suffix(f".{os.getpid()}")
    fresh.symlink_to(binary.relative_to(current.parent))
    fresh.replace(current)


@contextlib.contextmanager
def locked(cache: Path) -> Iterator[None]:
    """Hold the one lock of all builds with this cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "build.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            archive.say("host build: waiting for another one")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def cache_home() -> Path:
    """Return the user's cache folder for the farm (XDG_CACHE_HOME, else ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "proving-farm"


def fail(text: str) -> int:
    """Say why there is no binary; return the exit code of that."""
    archive.say(f"host build: {text}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
