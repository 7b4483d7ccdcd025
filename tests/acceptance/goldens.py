"""Where the golden artifacts are, and what is in them."""

import json
import tomllib
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
BLOBS = GOLDEN.parents[1] / "guest" / "blobs"
IMAGES = tomllib.loads((BLOBS.parent / "images.toml").read_text())["images"]
SESSIONS = json.loads((GOLDEN / "sessions.json").read_text())
PO2 = SESSIONS["two"]["po2"]


def stdin(session):
    """Return what the guest of a golden session reads."""
    return (GOLDEN / SESSIONS[session]["input"]).read_bytes()


def receipt(session):
    """Return the receipt of a golden session."""
    return (GOLDEN / SESSIONS[session]["receipt"]).read_bytes()
