"""Claims worked out here are those that real receipts carry (tests/golden)."""

import json
from functools import reduce
from pathlib import Path

import pytest
from msgspec.structs import replace

from farm.claim import Claim, assumed, assumption, output

GOLDEN = Path(__file__).parents[1] / "golden"
ENTRIES = json.loads((GOLDEN / "index.json").read_text())["entries"]
SESSIONS = json.loads((GOLDEN / "sessions.json").read_text())
ANSWERS = [entry for entry in ENTRIES if (entry.get("done") or {}).get("claim")]
FINISHED = {name: one for name, one in SESSIONS.items() if "done" in one}


@pytest.mark.parametrize("entry", ANSWERS, ids=lambda entry: entry["done"]["digest"][:8])
def test_the_digest_of_a_claim_is_the_hosts(entry):
    assert Claim(**entry["done"]["claim"]).digest() == entry["done"]["digest"]
    for facts in segments(entry):
        assert Claim(**facts["claim"]).digest() == facts["digest"]


def segments(entry):
    return [one["facts"] for one in entry.get("emitted", []) if one["what"] == "segment"]


def joined(session):
    (run,) = [
        entry
        for entry in ENTRIES
        if entry["verb"] == "execute"
        and [one["file"] for one in entry.get("emitted", []) if one["what"] == "segment"]
        == session["segments"]
    ]
    return reduce(Claim.join, [Claim(**facts["claim"]) for facts in segments(run)])


@pytest.mark.parametrize("name", FINISHED)
def test_a_session_claims_its_image_and_journal(name):
    session = FINISHED[name]
    journal = (GOLDEN / session["journal"]).read_bytes()
    claim = Claim(**session["done"]["claim"])
    assert Claim.ok(session["image_id"], journal) == claim
    # Its segments say what they relied on; resolving takes that away, one by one.
    steps = session["done"]["assumptions"]
    relied = assumed([assumption(one["claim"], one["control_root"]) for one in steps])
    assert joined(session) == replace(claim, output=output(journal, relied))
