"""Programs of a user's own in Rust, built as they would build them."""

import json
import os
import subprocess
from pathlib import Path

from farm import locate


def built(name, *profile):
    """Return the program that the crate in this folder makes."""
    target = locate.cache_home() / "target" / "verifier"
    command = ["cargo", "build", "--locked", "--message-format", "json", *profile]
    env = os.environ | {"CARGO_TARGET_DIR": str(target)}
    folder = Path(__file__).with_name(name)
    made = subprocess.run(command, cwd=folder, env=env, stdout=subprocess.PIPE, check=True)
    lines = [json.loads(line) for line in made.stdout.splitlines()]
    return next(line["executable"] for line in lines if line.get("executable"))
