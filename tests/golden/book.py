"""The recorded answers in this folder: runs farm-host for those that are not there yet."""

import json
import subprocess
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BLOBS = Path("../../guest/blobs")
INDEX = HERE / "index.json"


@dataclass(frozen=True)
class Entry:
    """One request and its answer, as the host's recorder writes it (docs/host.md)."""

    verb: str
    inputs: list[str]
    args: dict[str, Any] = field(default_factory=dict)
    emitted: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, Any] | None = None
    outputs: list[str] = field(default_factory=list)
    failed: dict[str, Any] | None = None
    command: str = ""

    def answers(self, verb: str, inputs: list[str], args: dict[str, Any]) -> bool:
        """Tell whether this is the answer to a request, by what the replay host goes by."""
        return (verb, inputs, args.get("po2")) == (self.verb, self.inputs, self.args.get("po2"))


def entries() -> list[Entry]:
    """Return what is recorded."""
    if not INDEX.exists():
        return []
    return [Entry(**entry) for entry in json.loads(INDEX.read_text())["entries"]]


def digest(file: str | Path) -> str:
    """Return the SHA-256 of a file; a relative path is relative to this folder."""
    return sha256((HERE / file).read_bytes()).hexdigest()


def run(host: str, verb: str, *files: str | Path, **args: Any) -> None:
    """Run farm-host once, in this folder; a failure of the guest is an answer too."""
    command = [host, verb, *map(str, files)]
    for name, value in args.items():
        command += ["-o", value] if name == "out" else ["-a", f"{name}={value}"]
    if "out" not in args:
        command += ["--record", "."]
    code = subprocess.run(command, cwd=HERE, stdout=subprocess.DEVNULL).returncode
    if code not in (0, 4):  # 4: the guest failed, which is recorded
        raise SystemExit(f"{' '.join(command)}: exit code {code}")


def ask(host: str, verb: str, *files: str | Path, **args: Any) -> Entry:
    """Return the recorded answer, after making it where there is none."""
    inputs = [digest(file) for file in files]
    for attempt in range(2):
        for entry in entries():
            if entry.answers(verb, inputs, args):
                return entry
        if not attempt:
            run(host, verb, *files, **args)
    raise SystemExit(f"farm-host {verb} recorded nothing in {INDEX}")


def tidy(keep: set[str]) -> None:
    """Drop what failed executions gave before they failed, and files that nothing names."""
    index = json.loads(INDEX.read_text())
    named = set(keep)
    for entry in index["entries"]:
        if "failed" in entry:  # the replay host gives the failure alone
            entry.pop("emitted", None)
        named |= {*entry["outputs"], *(emitted["file"] for emitted in entry.get("emitted", []))}
    INDEX.write_text(json.dumps(index, indent=1) + "\n")
    for file in HERE.glob("*.bin"):
        if file.name not in named:
            file.unlink()
