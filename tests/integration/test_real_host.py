"""The built farm-host, asked by the farm: what Python works out and what Rust says agree."""

import json
import os
import tomllib
from pathlib import Path

import pytest

from farm import locate, verify
from farm.claim import Claim
from farm.errors import (
    BadProgram,
    BadReceipt,
    CycleLimitReached,
    GuestPanicked,
    HostMissing,
    ImageMismatch,
    InputTooLarge,
    WrongClaim,
)
from farm.host import HostChild
from farm.receipt import Receipt
from farm.serde import u64, words
from farm.settings import Settings

pytestmark = pytest.mark.host
GUEST = Path(__file__).parents[2] / "guest"
PROGRAM = (GUEST / "blobs/fibonacci.bin").read_bytes()
IMAGES = tomllib.loads((GUEST / "images.toml").read_text())["images"]
GOLDEN = Path(__file__).parents[1] / "golden"
SESSIONS = json.loads((GOLDEN / "sessions.json").read_text())
RECEIPTS = [name for name, session in SESSIONS.items() if "receipt" in session]
INPUT = words(u64(0), u64(1), 600)


@pytest.fixture(scope="module")
def binary():
    try:
        return locate.find(Settings())
    except HostMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture
def host(binary):
    child = HostChild(binary, cpus=[0])
    yield child
    child.close()
    assert child._process.returncode == 0


def execute(host, seen, program=PROGRAM, stdin=INPUT, **args):
    return host.request(
        "execute", {"po2": 14, **args}, [program, stdin], lambda *one: seen.append(one)
    )


def test_the_claims_of_segments_join_into_that_of_the_session(host):
    seen = []
    answer = execute(host, seen)
    assert len(seen) == answer.done["segments"] > 1
    claims = [Claim(**facts["claim"]) for facts, _ in seen]
    assert [one.digest() for one in claims] == [facts["digest"] for facts, _ in seen]
    whole = claims[0]
    for claim in claims[1:]:
        whole = whole.join(claim)
    assert whole == Claim(**answer.done["claim"]) == Claim.ok(IMAGES["fibonacci"], answer.parts[0])
    assert whole.digest() == answer.done["digest"]


def test_a_program_has_its_committed_image_id(binary):
    assert verify.image_id(PROGRAM, Settings(host=binary)) == IMAGES["fibonacci"]
    with pytest.raises(BadProgram):
        verify.image_id(b"", Settings(host=binary))


@pytest.mark.parametrize("name", RECEIPTS)
def test_a_golden_receipt_proves_its_image_and_journal_and_nothing_else(binary, name):
    settings, session = Settings(host=binary), SESSIONS[name]
    raw = (GOLDEN / session["receipt"]).read_bytes()
    journal = (GOLDEN / session["journal"]).read_bytes()
    shown = verify.verify(raw, session["image_id"], settings)
    assert (shown.kind, shown.journal) == ("succinct", journal)
    assert shown.digest == Claim.ok(session["image_id"], journal).digest()
    with pytest.raises(WrongClaim):
        verify.verify(raw, "00" * 32, settings)
    flipped = bytearray(raw)
    flipped[len(raw) // 2] ^= 1
    for broken in raw[:-1], raw[: len(raw) // 2], bytes(flipped):
        with pytest.raises(BadReceipt):
            verify.verify(broken, session["image_id"], settings)


def test_a_receipt_is_read_back_verified(binary, tmp_path):
    settings, session = Settings(host=binary), SESSIONS[RECEIPTS[0]]
    raw = (GOLDEN / session["receipt"]).read_bytes()
    (tmp_path / "a").write_bytes(raw)
    receipt = Receipt.load(tmp_path / "a", session["image_id"], settings)
    receipt.verify(session["image_id"], settings)
    receipt.save(tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == raw


def test_what_is_no_receipt_is_refused(binary):
    with pytest.raises(BadReceipt):
        verify.verify(b"not a receipt", IMAGES["fibonacci"], Settings(host=binary))


@pytest.mark.parametrize(
    ("error", "given"),
    [
        (CycleLimitReached, {"cycle_limit": 1000}),
        (ImageMismatch, {"image_id": "00" * 32}),
        (InputTooLarge, {"input_limit": 3}),
        (GuestPanicked, {"program": (GUEST / "blobs/panic.bin").read_bytes()}),
        (BadProgram, {"program": b"\x7fELF"}),
    ],
)
def test_bad_input_comes_back_as_its_class_and_the_host_goes_on(host, error, given):
    with pytest.raises(error):
        execute(host, [], **given)
    assert execute(host, []).done["sys_exit"] == 0
