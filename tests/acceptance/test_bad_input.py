"""What a user gets wrong: one clear line of a known class, and a farm that goes on."""

import pytest
from goldens import BLOBS, GOLDEN, IMAGES, PO2, receipt, stdin

from farm import Farm, errors, witness, words
from farm.trace import prove

FIBONACCI = BLOBS / "fibonacci.bin"


@pytest.fixture
def farm(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        yield farm
        # Whatever went wrong, the next job is proved.
        farm.submit(FIBONACCI, stdin("one"), po2=PO2).wait(60).verify(IMAGES["fibonacci"])


@pytest.mark.parametrize(
    ("program", "said"),
    [(b"", "empty"), (b"not a program", "program: "), (b"\x7fELF" + bytes(60), "program: ")],
)
def test_not_a_program(farm, program, said):
    with pytest.raises(errors.BadProgram, match=said):
        farm.submit(program, b"")


def test_a_file_that_is_not_there(farm, tmp_path):
    with pytest.raises(errors.BadProgram, match="cannot read"):
        farm.submit(tmp_path / "nothing", b"")


def test_another_image_id(farm):
    with pytest.raises(errors.ImageMismatch, match=IMAGES["fibonacci"]):
        farm.submit(FIBONACCI, b"", image_id=IMAGES["sha256"])


def test_input_over_the_limit(farm):
    with pytest.raises(errors.InputTooLarge):
        farm.submit(FIBONACCI, bytes(farm.settings.input_limit + 1))


def test_a_guest_that_panics_has_its_message_shown(farm):
    job = farm.submit(BLOBS / "panic.bin", stdin("panic"), po2=PO2, cycle_limit=1 << 20)
    with pytest.raises(errors.GuestPanicked, match="the guest says why"):
        job.wait(60)


def test_a_guest_that_never_halts_meets_its_cycle_limit(farm):
    job = farm.submit(BLOBS / "spin.bin", stdin("spin"), po2=PO2, cycle_limit=1 << 20)
    with pytest.raises(errors.CycleLimitReached, match=str(1 << 20)):
        job.wait(60)


def test_a_claim_without_a_receipt(farm):
    job = farm.submit(BLOBS / "compose.bin", stdin("unproven"), po2=PO2)
    with pytest.raises(errors.AssumptionMissing):
        job.wait(60)


def test_an_unknown_job(farm):
    with pytest.raises(errors.UnknownJob, match="no job j123"):
        farm.job("j123").wait(5)


def test_a_failure_is_not_kept_for_the_next_who_asks(farm):
    for _ in range(2):
        job = farm.submit(BLOBS / "spin.bin", stdin("spin"), po2=PO2, cycle_limit=1 << 20)
        with pytest.raises(errors.CycleLimitReached):
            job.wait(60)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda raw: raw[: len(raw) // 2], "receipt"),
        (lambda raw: raw[:1000] + bytes([raw[1000] ^ 1]) + raw[1001:], "receipt"),
        (lambda raw: b"", "receipt"),
        (lambda raw: receipt("compose"), "receipt proves"),
        (lambda raw: (GOLDEN / "receipt-fake.bin").read_bytes(), "fake"),
        (lambda raw: trace(), "of kind trace"),
        (lambda raw: b"PFS1" + raw, "of kind simulated"),
    ],
    ids=["truncated", "flipped", "empty", "another program", "fake", "trace", "simulated"],
)
def test_a_receipt_that_proves_nothing_here(replay_farm, tmp_path, spoil, said):
    file = tmp_path / "bad.receipt"
    file.write_bytes(spoil(receipt("one")))
    verified = replay_farm.types("verify", str(file), "--image-id", IMAGES["fibonacci"])
    assert verified.returncode == 1
    assert said in verified.stderr
    assert verified.stderr.count("\n") == 1


def trace():
    """Return trace proofs as the farm keeps them."""
    return prove(witness.read_inputs("fib.v0", [3], None), limit=9).pack("b1 trace:0-1")


def test_a_wrong_password(replay_farm):
    url = f"unix://:wrong@{replay_farm.ledger_socket()}?db=0"
    told = replay_farm.types("status", FARM_LEDGER_URL=url)
    assert (told.returncode, told.stderr.count("\n")) == (1, 1)
    assert "refused the password" in told.stderr


def test_no_farm_is_up(tmp_path, replay_farm):
    told = replay_farm.types("status", FARM_STATE=str(tmp_path / "nowhere"))
    assert told.returncode == 1
    assert "farm up" in told.stderr


def test_a_store_that_cannot_be_written(farm, monkeypatch):
    def full(*_):
        raise errors.StoreFailed(farm.settings.state, "No space left on device")

    monkeypatch.setattr(farm.blobs, "put", full)
    with pytest.raises(errors.StoreFailed, match="No space left"):
        farm.submit(FIBONACCI, words(1), po2=PO2)
    monkeypatch.undo()
