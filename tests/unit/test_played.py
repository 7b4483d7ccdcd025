"""Trace receipts of guests: they commit to what a guest did, and can be taken for nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import pack, played, verify
from farm.errors import BadReceipt, VerificationFailed, WrongClaim, WrongKind
from farm.receipt import Receipt
from farm.settings import Settings

IMAGE, INPUT = "11" * 32, "22" * 32
WHOLE = played.write(IMAGE, INPUT, 2873, b"journal")


def test_what_was_written_is_read():
    says, journal = played.read(WHOLE, IMAGE)
    assert (says.image_id, says.input, says.cycles, journal) == (IMAGE, INPUT, 2873, b"journal")
    assert played.read(WHOLE, None)[0] == says


def test_it_commits_to_program_input_journal_and_cycles():
    known = (IMAGE, INPUT, 2873, b"journal")
    others = [("33" * 32, None, None, None), (None, "33" * 32, None, None)]
    others += [(None, None, 2874, None), (None, None, 2873 + (1 << 32), None)]
    others += [(None, None, None, b"Journal")]
    digests = {played.read(WHOLE, None)[0].digest()}
    for other in others:
        raw = played.write(*(new or old for new, old in zip(other, known, strict=True)))
        digests.add(played.read(raw, None)[0].digest())
    assert len(digests) == 1 + len(others)


def test_of_another_program_it_is_the_wrong_claim():
    with pytest.raises(WrongClaim, match=f"proves image {IMAGE}, not image 33"):
        played.read(WHOLE, "33" * 32)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused(at, flip):
    raw = bytearray(WHOLE)
    raw[at] ^= flip
    with pytest.raises(VerificationFailed):
        played.read(bytes(raw), IMAGE)


@pytest.mark.parametrize("end", [*range(12), 100, len(WHOLE) - 1])
def test_a_cut_one_is_refused(end):
    with pytest.raises(VerificationFailed):
        played.read(WHOLE[:end], IMAGE)


@pytest.mark.parametrize(
    ("raw", "kind"), [(b"", "risc0"), (b"\x01\x00\x00\x00", "risc0"), (b"PFS1...", "simulated")]
)
def test_anything_else_is_of_the_wrong_kind(raw, kind):
    with pytest.raises(WrongKind, match=f"kind {kind}, not trace"):
        played.read(raw, IMAGE)


def test_packed_trace_proofs_are_of_that_kind_but_no_receipt():
    packed = pack.pack({}, {}, {})
    assert played.kind(packed) == "trace"
    with pytest.raises(BadReceipt, match="no trace receipt"):
        played.read(packed, IMAGE)


def test_who_asks_for_a_proof_is_refused_without_a_host(tmp_path):
    nowhere = Settings(host=str(tmp_path / "none"))
    with pytest.raises(WrongKind, match="kind trace, not risc0"):
        verify.verify(WHOLE, IMAGE, nowhere)
    with pytest.raises(WrongKind):
        Receipt(WHOLE, b"journal", IMAGE, "33" * 32).verify(IMAGE, nowhere)


def test_a_trace_receipt_says_its_kind(tmp_path):
    receipt = Receipt.read(WHOLE, IMAGE, mode="trace")
    assert (receipt.kind, receipt.journal) == ("trace", b"journal")
    assert receipt.verify(IMAGE).kind == "trace"
    assert receipt.verify(IMAGE).digest == receipt.digest
    with pytest.raises(WrongClaim):
        receipt.verify("33" * 32)
    receipt.save(tmp_path / "a")
    assert Receipt.load(tmp_path / "a", IMAGE, mode="trace") == receipt
    with pytest.raises(WrongKind, match="kind trace, not risc0"):
        Receipt.load(tmp_path / "a", IMAGE)
    with pytest.raises(WrongKind, match="kind risc0, not trace"):
        Receipt.read(b"proof", IMAGE, mode="trace")
