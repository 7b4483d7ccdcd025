#!/usr/bin/env python3
"""Builds the guests with Debian's own Rust: blobs/*.bin and images.toml, or compares with them.

    build.py            build, write blobs/ and images.toml
    build.py --check    build elsewhere and compare byte for byte
    build.py --check --if-changed    the same, if the sources are not those of images.toml

The image id depends on the exact compiler and linker. So `--check` compares only where both are
the pinned ones; elsewhere it says so in one line and exits 0 (1 where CI is set, for nobody has
compared them). Exit 1: a blob differs.
Packages: rustc-web cargo-web rust-web-src lld-22 gcc libc6-dev (Debian 12).
"""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).resolve().parent
BLOBS = HERE / "blobs"
IMAGES = HERE / "images.toml"
RUSTC = Path("/usr/bin/rustc")
CARGO = Path("/usr/bin/cargo")
LLD = Path("/usr/bin/ld.lld-22")
TARGET = "riscv32im-risc0-zkvm-elf"
#: Where a guest's code starts in the zkVM's memory.
TEXT = "0x00200800"


def out(*command: str | Path) -> str:
    """Return what a command prints, without the last line break."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def toolchain() -> dict[str, str]:
    """Return the versions of the compiler and the linker; a missing one is an empty text."""
    tools = {"rustc": RUSTC, "lld": LLD}
    return {name: out(path, "--version") if path.exists() else "" for name, path in tools.items()}


def guests() -> list[str]:
    """Return the names of the guests: the programs in src/bin, here or in a folder, and the one
    that fills a folder.
    """
    small = [path.stem for path in HERE.glob("**/src/bin/*.rs")]
    return sorted([*small, "set-builder"])


def sources() -> str:
    """Return the digest of all that a build reads from this folder: names and bytes."""
    kept = {"Cargo.toml", "Cargo.lock"}
    files = [f for f in HERE.rglob("*") if f.is_file() and (f.suffix == ".rs" or f.name in kept)]
    whole = hashlib.sha256()
    for file in sorted(files):
        body = file.read_bytes()
        whole.update(f"{file.relative_to(HERE)} {len(body)}\n".encode() + body)
    return whole.hexdigest()


def cargo_home() -> Path:
    """Return cargo's folder, which holds the sources of the crates."""
    return Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo").resolve()


def flags() -> str:
    """Return rustc's flags; the remaps keep this machine's paths out of the code."""
    sysroot = out(RUSTC, "--print", "sysroot")
    source = Path(sysroot, "lib/rustlib/src/rust")
    remaps = [(HERE, "/guests"), (source, "/rust"), (source.resolve(), "/rust")]
    remaps += [(crates, "/crates") for crates in sorted(cargo_home().glob("registry/src/*"))]
    parts = ["-C", "passes=lower-atomic", "-C", f"link-arg=-Ttext={TEXT}"]
    parts += ["-C", "link-arg=--fatal-warnings", "-C", "panic=abort"]
    parts += ["--cfg", 'getrandom_backend="custom"']
    parts += [f"--remap-path-prefix={old}={new}" for old, new in remaps]
    return "\x1f".join(parts)


def environment(target: Path) -> dict[str, str]:
    """Return the build's environment: Debian's tools alone, and its lld under rustc's name."""
    bin_ = target / "bin"
    bin_.mkdir(parents=True, exist_ok=True)
    link = bin_ / "rust-lld"
    link.unlink(missing_ok=True)
    link.symlink_to(LLD)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RUST")}
    kept.pop("CARGO_BUILD_TARGET", None)
    kept["PATH"] = f"{bin_}:/usr/bin:/bin"
    kept |= {"RUSTC": str(RUSTC), "RUSTC_BOOTSTRAP": "1", "SOURCE_DATE_EPOCH": "0"}
    return kept


def cargo(target: Path, *arguments: str, **more: str) -> None:
    """Run cargo on the workspace."""
    command = [str(CARGO), *arguments, "--locked"]
    subprocess.run(command, cwd=HERE, env=environment(target) | more, check=True)


def build(target: Path, blobs: Path) -> dict[str, str]:
    """Build and pack every guest into `blobs`; return name -> image id."""
    std = ["-Zbuild-std=core,alloc,proc_macro,panic_abort,std"]
    std += ["-Zbuild-std-features=compiler-builtins-mem"]
    folder = ["--target-dir", str(target)]
    cargo(target, "fetch")  # so that the folders of sources exist when they are remapped
    cargo(
        target, "build", "--release", "--target", TARGET, *std, *folder,
        CARGO_ENCODED_RUSTFLAGS=flags(),
    )  # fmt: skip
    cargo(target, "build", "-p", "farm-pack", *folder)
    pairs: list[str | Path] = []
    for name in guests():
        pairs += [target / TARGET / "release" / name, blobs / f"{name}.bin"]
    blobs.mkdir(parents=True, exist_ok=True)
    lines = out(target / "debug" / "farm-pack", *pairs).splitlines()
    return dict(zip(guests(), (line.split()[0] for line in lines), strict=True))


def table(images: dict[str, str]) -> str:
    """Return the text of images.toml."""
    lines = ["# Written by build.py: image ids, and the sources and tools that give exactly these."]
    lines += ["", "[sources]", f'digest = "{sources()}"', ""]
    lines += ["[toolchain]", *(f'{name} = "{text}"' for name, text in toolchain().items()), ""]
    lines += ["[images]", *(f'{name} = "{image}"' for name, image in images.items())]
    return "\n".join(lines) + "\n"


def check(target: Path) -> int:
    """Build elsewhere and compare with what is committed; return the exit code."""
    pinned = tomllib.loads(IMAGES.read_text())["toolchain"]
    for name, have in toolchain().items():
        if have != pinned[name]:
            say(f"guests not compared: {name} is {have or 'missing'!r}, pinned is {pinned[name]!r}")
            # Where changes are accepted, blobs that nobody compared are none.
            return 1 if os.environ.get("CI") else 0
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder)
        texts = {"images.toml": (table(build(target, built)).encode(), IMAGES)}
        for name in guests():
            blob = f"{name}.bin"
            texts[blob] = ((built / blob).read_bytes(), BLOBS / blob)
        bad = [n for n, (new, old) in texts.items() if not old.exists() or old.read_bytes() != new]
    bad += [f.name for f in BLOBS.iterdir() if f.name not in texts]
    say(f"guests differ: {', '.join(bad)}" if bad else f"guests are the same: {len(texts) - 1}")
    return 1 if bad else 0


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Build or compare; return the exit code."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed blobs")
    parser.add_argument(
        "--target-dir", type=Path, default=cache / "proving-farm" / "target" / "guest"
    )
    parser.add_argument("--if-changed", action="store_true", help="only when sources changed")
    given = parser.parse_args()
    if given.if_changed and tomllib.loads(IMAGES.read_text())["sources"]["digest"] == sources():
        say("guests not compared: the sources are those that the blobs were built from")
        return 0
    target = given.target_dir.resolve()
    if given.check:
        return check(target)
    missing = [name for name, version in toolchain().items() if not version]
    if missing:
        say(f"guests not built: no {' and no '.join(missing)}; see the packages in build.py")
        return 1
    IMAGES.write_text(table(build(target, BLOBS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
