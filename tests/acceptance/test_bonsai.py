"""A user of Bonsai points BONSAI_API_URL at a farm: SDK and prover are RISC Zero's own."""

import pytest
from asking import user
from bonsai_user import COMPOSED, FIB, given, runner
from console import farm_in, free_port
from goldens import GOLDEN, IMAGES, PO2

pytestmark = [pytest.mark.redis, pytest.mark.host]


@pytest.fixture
def bonsai(bonsai_program, api_farm):
    """Return what runs the program against the farm, and gives back what it tells."""
    return runner(bonsai_program, user(api_farm))


def test_risc0_zkvm_s_own_prover_proves_on_the_farm(bonsai):
    told = bonsai("prove", *given("fibonacci", "two"))
    assert told["prover"] == "bonsai" and told["image_id"] == IMAGES["fibonacci"]
    assert told["journal"] == FIB["two"] and told["succinct"]
    assert (told["segments"], told["total_cycles"], told["user_cycles"]) == (2, 81920, 27873)


def test_it_composes_with_a_receipt_that_it_uploads(bonsai):
    told = bonsai("prove", *given("compose", "compose"), GOLDEN / "receipt-one.bin")
    assert told["journal"] == COMPOSED


def test_the_blocking_client(bonsai):
    told = bonsai("session", *given("fibonacci", "two"))
    assert told["status"] == "SUCCEEDED" and told["journal"] == FIB["two"]
    assert told["stats"] == [2, 81920, 27873] and told["elapsed"] >= 0 and told["error"] is None
    assert told["receipt_url"].endswith(f"/receipts/stark/receipt/{told['session']}")


def test_a_receipt_as_its_users_keep_them_can_be_uploaded_too(bonsai):
    told = bonsai("session", *given("compose", "compose"), GOLDEN / "receipt-one.bin")
    assert told["journal"] == COMPOSED


def test_the_async_client(bonsai):
    assert bonsai("async", *given("fibonacci", "one")) == {"journal": FIB["one"], "logs": ""}


def test_what_is_only_executed_has_a_journal_and_no_receipt(bonsai):
    told = bonsai("execute", *given("fibonacci", "seven"))
    assert told["status"] == "SUCCEEDED" and told["journal"] == FIB["seven"]
    assert told["stats"] == [1, 32768, 2973]
    assert told["receipt_url"] is None and told["receipt"] is False


def test_what_a_guest_wrote_is_told_and_why_it_failed(bonsai):
    told = bonsai("session", *given("panic", "panic"))
    assert told["status"] == "FAILED" and "the guest says why" in told["error"]
    assert told["logs"] == "about to panic\nthe guest says why\n" and told["stats"] is None


def test_what_was_uploaded_is_deleted(bonsai):
    assert bonsai("delete", *given("sha256", "one")) == {"has_img": False, "gone": True}


def test_a_receipt_that_is_not_there_is_said_not_to_be_found(bonsai):
    assert bonsai("download", "j00") == {"error": "ReceiptNotFound"}


def test_quotas_and_versions_are_told(bonsai):
    told = bonsai("user")
    assert "3.0.6" in told["versions"] and told["concurrent_proofs"] == 1000
    assert told["exec_cycle_limit"] == 1 << 16 and told["cycle_usage"] >= 0


def test_a_groth16_receipt_that_no_host_can_make_is_an_error_in_words(bonsai):
    session = bonsai("session", *given("fibonacci", "two"))["session"]
    with pytest.raises(AssertionError, match="HostLacks"):
        bonsai("snark", session)


@pytest.fixture
def slow_bonsai(bonsai_program, tmp_path, host):
    """The same at a farm whose hosts take their time."""
    how = {"replay": str(GOLDEN), "replay_delay_ms": 700, "api": True, "api_port": free_port()}
    for operator in farm_in(tmp_path, host=host, segment_po2=PO2, **how):
        yield runner(bonsai_program, user(operator))


def test_a_session_says_what_is_done_for_it_and_is_stopped(slow_bonsai):
    told = slow_bonsai("session", *given("fibonacci", "two"))
    assert told["status"] == "SUCCEEDED"
    assert {"ProveSegments: 0/2", "RecursionJoin: 0/1"} <= set(told["states"]), told["states"]
    stopped = slow_bonsai("stop", *given("fibonacci", "lucas"))
    assert stopped["status"] == "ABORTED" and "cancelled" in stopped["error"]
