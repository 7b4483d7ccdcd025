"""A user of Bonsai: the program of tests/acceptance/bonsai, run."""

import json
import os
import subprocess

from goldens import BLOBS, GOLDEN, IMAGES

#: What the guests of golden sessions put out, in hex.
FIB = {"two": "83298bd416cafe3c", "one": "3700000000000000", "seven": "4b03000000000000"}
COMPOSED = IMAGES["fibonacci"] + FIB["one"]


def started(program, somebody, *words):
    """Return the program at work on a scenario, against the farm that this user asks."""
    env = os.environ | {"BONSAI_API_URL": somebody.url, "BONSAI_API_KEY": somebody.secret}
    for other in ("RISC0_PROVER", "RISC0_DEV_MODE"):  # these would choose another prover
        env.pop(other, None)
    env |= {"BONSAI_POLL_INTERVAL_MS": "50", "RUST_BACKTRACE": "0"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([program, *words], env=env, **pipes)


def told(running, seconds):
    """Return what a program tells that ends well."""
    out, error = running.communicate(timeout=seconds)
    assert running.returncode == 0, error
    return json.loads(out)


def runner(program, somebody, seconds=90):
    """Return what runs the program, and gives back what it tells."""
    return lambda *words: told(started(program, somebody, *words), seconds)


def given(program, session):
    """Return the files of a golden session's program and input."""
    return BLOBS / f"{program}.bin", GOLDEN / f"input-{session}.bin"
