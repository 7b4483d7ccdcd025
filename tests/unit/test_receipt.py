"""Receipts: kept whole, and checked by a host that is asked for the image id."""

import pytest

from farm import verify
from farm.errors import HostMissing, StoreFailed
from farm.receipt import Receipt
from farm.settings import Settings

RECEIPT = Receipt(b"proof", b"journal", "11" * 32, "22" * 32)


def test_a_receipt_is_written_whole(tmp_path):
    RECEIPT.save(tmp_path / "a.receipt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.receipt"]
    assert (tmp_path / "a.receipt").read_bytes() == b"proof"


def test_a_receipt_that_cannot_be_written_says_so(tmp_path):
    with pytest.raises(StoreFailed, match="No such file or directory"):
        RECEIPT.save(tmp_path / "nowhere" / "a.receipt")


def test_its_bytes_are_not_shown():
    assert repr(RECEIPT).startswith("Receipt(image_id='1111")
    assert "proof" not in repr(RECEIPT)


def test_it_is_checked_by_a_host_and_against_the_image_id(standin):
    # The stand-in gives back what it was asked: the arguments as facts, the parts as parts.
    settings = Settings(host=standin())
    with verify.host(settings) as child:
        answer = child.request("verify", {"kind": "succinct", "digest": "d"}, [b"r"])
    assert answer.done["kind"] == "succinct"


def test_without_a_host_nothing_is_verified(tmp_path):
    with pytest.raises(HostMissing):
        RECEIPT.verify("11" * 32, Settings(host=str(tmp_path / "none")))
