"""Makes the golden artifacts with a real farm-host, and checks that the replay host gives them.

    python tests/golden/make.py          every step that is not recorded yet: real proving
    python tests/golden/make.py --check  ask the replay host for every entry, compare

sessions.json says which file is what; index.json is the host's own record of its answers.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

import assumption
import fake
from book import BLOBS, HERE, ask, run, tidy
from check import check

from farm import set_builder
from farm.claim import RECURSION_ROOT
from farm.serde import packed, u64, words
from farm.set_builder import Member

#: The least that a small guest fits in; its last segment is as small as its cycles allow (2^14 up).
PO2 = 16
WIDTH = 2
IMAGES: dict[str, str] = tomllib.loads((HERE / "../../guest/images.toml").read_text())["images"]

#: Session -> fibonacci's input; 2,500 rounds are just too many for one segment.
FIBONACCI = {"one": (0, 1, 10), "two": (0, 1, 2500), "seven": (7, 11, 10), "lucas": (2, 1, 20)}
#: The fewest rows of a keccak proof hold 81 hashes: one more, and there are two proofs. All fit
#: into one segment of this size.
KECCAK_PO2, HASHES, HASHING_PO2 = 14, 82, 18
#: The set of two members fits into one segment of this size.
SET_PO2 = 18
#: Members of larger sets: rounds of fibonacci, of which only the receipts are kept.
MORE = (3, 5, 8, 13)
#: What `composed` relies on.
ASSUMED = "assumption-one.bin"
#: The sessions whose receipt is kept; the replay host makes it from the root, as a real one does.
KEPT = ("one", "two", "compose", "keccak", "seven", "lucas", "set")

Session = dict[str, Any]


def execute(
    host: str, name: str, program: str, stdin: bytes, *more: str, po2: int = PO2, **args: Any
) -> Session:
    """Execute a program; return the session, with what its guest made or how it failed."""
    file = f"input-{name}.bin"
    (HERE / file).write_bytes(stdin)
    blob = BLOBS / f"{program}.bin"
    entry = ask(host, "execute", blob, file, *more, po2=po2, **args)
    session = {"program": program, "image_id": IMAGES[program], "input": file, "po2": po2}
    if entry.failed:
        return session | {"failed": entry.failed}
    made: dict[str, list[str]] = {"segment": [], "keccak": []}
    for emitted in entry.emitted:
        made[emitted["what"]].append(emitted["file"])
    session |= {"done": entry.done, "journal": entry.outputs[0], "segments": made["segment"]}
    return session | ({"keccaks": made["keccak"]} if made["keccak"] else {})


def prove(host: str, session: Session, *assumptions: str) -> Session:
    """Prove the segments, lift, fold and finalize them; return the session with every file."""
    step = lambda *request: ask(host, *request, width=WIDTH).outputs[0]  # noqa: E731
    proofs = [step("prove", segment) for segment in session["segments"]]
    lifts = [step("lift", proof) for proof in proofs]
    roots = [lifts[0]]
    for right in lifts[1:]:
        roots.append(step("join", roots[-1], right))
    for receipt in assumptions:
        roots.append(step("resolve", roots[-1], receipt))
    return session | {
        "assumptions": list(assumptions),
        "proofs": proofs,
        "lifts": lifts,
        "folds": roots[1:],
        "root": roots[-1],
    }


def finalize(host: str, name: str, session: Session) -> Session:
    """Make the receipt that a user keeps, where it is kept; return the session with it."""
    if name not in KEPT:
        return session
    file = f"receipt-{name}.bin"
    if not (HERE / file).exists():
        image_id = session["image_id"]
        run(host, "finalize", session["root"], session["journal"], image_id=image_id, out=file)
    return session | {"receipt": file}


def fibonacci(host: str, name: str) -> Session:
    """Make one Fibonacci session."""
    a0, a1, rounds = FIBONACCI[name]
    stdin = words(u64(a0), u64(a1), rounds)
    return finalize(host, name, prove(host, execute(host, name, "fibonacci", stdin)))


def compose(host: str, one: Session) -> Session:
    """Make the session of a guest that relies on the receipt of another."""
    journal = (HERE / one["journal"]).read_bytes()
    stdin = bytes.fromhex(one["image_id"]) + packed(journal)
    session = execute(host, "compose", "compose", stdin, one["receipt"])
    return finalize(host, "compose", prove(host, session, one["receipt"]))


def composed(host: str, one: Session, compose: Session) -> Session:
    """Make the same once more, with what it relies on as risc0-zkvm's Bonsai prover sends it."""
    file, journal = ASSUMED, (HERE / one["journal"]).read_bytes()
    claim = compose["done"]["assumptions"][0]["claim"]
    assumption.write(HERE / one["receipt"], journal, claim, HERE / file)
    stdin = (HERE / compose["input"]).read_bytes()
    return prove(host, execute(host, "compose", "compose", stdin, file), file)


def keccak(host: str) -> Session:
    """Make the session of a guest whose hashes take two keccak proofs, and so a union of them."""
    stdin = words(HASHES, packed(b"farm"))
    how = {"po2": HASHING_PO2, "keccak": "true", "keccak_po2": KECCAK_PO2}
    session = execute(host, "keccak", "keccak", stdin, **how)
    step = lambda *request: ask(host, *request, width=WIDTH).outputs[0]  # noqa: E731
    proofs = [step("prove-keccak", request) for request in session["keccaks"]]
    unions = [step("union", *proofs)]
    proved = prove(host, session, unions[-1])
    return finalize(host, "keccak", proved | {"keccak_proofs": proofs, "unions": unions})


def a_set(host: str, sessions: dict[str, Session]) -> Session:
    """Make the session of the set builder over the receipts of two others."""
    members = [sessions["one"], sessions["compose"]]
    of = [Member.of(one["image_id"], (HERE / one["journal"]).read_bytes()) for one in members]
    union = ask(host, "union", *(one["receipt"] for one in members), width=WIDTH).outputs[0]
    assumed = [{"claim": set_builder.united(of), "control_root": RECURSION_ROOT}]
    stdin = set_builder.stdin(IMAGES["set-builder"], of)
    how = {"po2": SET_PO2, "assumed": json.dumps(assumed)}
    session = execute(host, "set", "set-builder", stdin, **how)
    return finalize(host, "set", prove(host, session, union) | {"unions": [union]})


def more(host: str) -> list[str]:
    """Make receipts that only serve as members; nothing else of them is kept."""
    files = [f"receipt-rounds-{rounds}.bin" for rounds in MORE]
    for file, rounds in zip(files, MORE, strict=True):
        if not (HERE / file).exists():
            stdin = words(u64(0), u64(1), rounds)
            timed(file, lambda stdin=stdin, file=file: proved(host, stdin, file))
    return files


def proved(host: str, stdin: bytes, file: str) -> Session:
    """Prove one run of fibonacci in a single segment; write its receipt."""
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        (at / "stdin").write_bytes(stdin)
        blob, args = (HERE / BLOBS / "fibonacci.bin").resolve(), json.dumps({"po2": PO2})
        steps = [
            ["execute", "--args", args, "-o", at / "run", blob, at / "stdin"],
            ["prove", "-a", f"width={WIDTH}", "-o", at / "proof", at / "run" / "segment-0.bin"],
            ["lift", "-a", f"width={WIDTH}", "-o", at / "root", at / "proof"],
        ]
        for step in steps:
            subprocess.run([host, *map(str, step)], check=True, stdout=subprocess.DEVNULL)
        journal, image_id = at / "run" / "journal.bin", IMAGES["fibonacci"]
        run(host, "finalize", at / "root", journal, image_id=image_id, out=file)
    return {"receipt": file}


def failures(host: str) -> dict[str, Session]:
    """Make the sessions that end badly: each stops in `execute`."""
    image = bytes.fromhex(IMAGES["fibonacci"])
    return {
        "panic": execute(host, "panic", "panic", words("the guest says why")),
        "spin": execute(host, "spin", "spin", b"", cycle_limit=1 << 20),
        "unproven": execute(host, "unproven", "compose", image + packed(b"never")),
    }


def make(host: str) -> None:
    """Make whatever is missing, and write down after each session what is what."""
    sessions = failures(host)
    for name in FIBONACCI:
        sessions[name] = timed(name, lambda name=name: fibonacci(host, name))
        if name == "one":
            sessions["compose"] = timed("compose", lambda: compose(host, sessions["one"]))
            of = (sessions["one"], sessions["compose"])
            sessions["composed"] = timed("composed", lambda of=of: composed(host, *of))
            sessions["keccak"] = timed("keccak", lambda: keccak(host))
        (HERE / "sessions.json").write_text(json.dumps(sessions, indent=1) + "\n")
    sessions["set"] = timed("set", lambda: a_set(host, sessions))
    (HERE / "sessions.json").write_text(json.dumps(sessions, indent=1) + "\n")
    journal = (HERE / sessions["one"]["journal"]).read_bytes()
    (HERE / "receipt-fake.bin").write_bytes(fake.receipt(IMAGES["fibonacci"], journal))
    keep = {"receipt-fake.bin", ASSUMED, *more(host)}
    keep |= {session["input"] for session in sessions.values()}
    tidy(keep | {f"receipt-{name}.bin" for name in KEPT})


def timed(name: str, work: Any) -> Session:
    """Return what `work` returns; say how long it took."""
    start = time.monotonic()
    session: Session = work()
    say(f"{name}: {time.monotonic() - start:.1f} s")
    return session


def say(text: str) -> None:
    """Print one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Make or check; return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--host", default=os.environ.get("FARM_HOST", "farm-host"))
    parser.add_argument("--check", action="store_true", help="compare with the replay host")
    given = parser.parse_args()
    if not given.check:
        make(given.host)
    problems = check(given.host)
    say("\n".join(problems) if problems else "the replay host answers as recorded")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
