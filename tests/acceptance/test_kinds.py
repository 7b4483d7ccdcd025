"""Jobs of every kind, as a user asks for them over golden receipts; what their guests wrote."""

import json

import pytest
from console import farm_in
from goldens import BLOBS, GOLDEN, IMAGES, PO2, SESSIONS, receipt, stdin

from farm import Farm, Receipt, errors, u64, verify, words
from farm.claim import Claim

FIBONACCI = BLOBS / "fibonacci.bin"
COMPOSE = BLOBS / "compose.bin"


@pytest.fixture
def farm(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        yield farm


def journal(session):
    return (GOLDEN / SESSIONS[session]["journal"]).read_bytes()


def test_an_execution_tells_journal_cycles_and_segments(farm, replay_farm):
    before = replay_farm.answers()
    job = farm.submit(FIBONACCI, stdin("two"), po2=PO2, mode="execute")
    found = job.result(60)
    golden = SESSIONS["two"]["done"]
    assert (found.journal, found.segments, found.cycles) == (journal("two"), 2, golden["cycles"])
    assert (found.sys_exit, found.user_exit, found.image_id) == (0, 0, IMAGES["fibonacci"])
    assert replay_farm.answers() - before == 1  # the guest ran, and nothing was proved
    with pytest.raises(errors.NoReceipt):
        job.receipt()
    again = farm.submit(FIBONACCI, stdin("two"), po2=PO2, mode="execute")
    assert again.execution() == found


def test_a_trace_has_the_journal_of_the_real_proof_and_never_passes_for_it(farm, tmp_path):
    asked = {"po2": PO2}
    traced = farm.submit(FIBONACCI, stdin("one"), mode="trace", **asked).wait(60)
    proved = farm.submit(FIBONACCI, stdin("one"), **asked).wait(60)
    assert traced.journal == proved.journal == journal("one")
    assert (traced.kind, proved.kind) == ("trace", "succinct")
    assert traced.verify(IMAGES["fibonacci"]).kind == "trace"
    with pytest.raises(errors.WrongKind, match="kind trace, not risc0"):
        verify.verify(traced.bytes, IMAGES["fibonacci"], farm.settings)
    with pytest.raises(errors.WrongClaim):
        traced.verify(IMAGES["sha256"])
    traced.save(tmp_path / "a")
    with pytest.raises(errors.WrongKind):
        Receipt.load(tmp_path / "a", IMAGES["fibonacci"], farm.settings)
    with pytest.raises(errors.WrongKind):
        farm.submit(COMPOSE, stdin("compose"), po2=PO2, assumptions=[traced])


def test_the_proofs_of_the_segments_are_a_composite_receipt(farm):
    job = farm.submit(FIBONACCI, stdin("two"), po2=PO2, receipt="composite")
    receipt = job.wait(60)
    assert (receipt.kind, receipt.journal) == ("composite", journal("two"))
    assert receipt.verify(IMAGES["fibonacci"], farm.settings).kind == "composite"
    assert job.status().stats["segments"] == 2


def test_a_receipt_that_the_guest_relies_on_is_resolved(farm):
    job = farm.submit(COMPOSE, stdin("compose"), po2=PO2, assumptions=[receipt("one")])
    found = job.wait(60)
    assert found.journal == journal("compose")
    # Unconditional: the claim is that of a guest that relied on nothing.
    assert found.digest == Claim.ok(IMAGES["compose"], found.journal).digest()


def test_a_composite_receipt_carries_the_one_relied_on(farm):
    asked = {"po2": PO2, "receipt": "composite"}
    job = farm.submit(COMPOSE, stdin("compose"), assumptions=[receipt("one")], **asked)
    found = job.wait(60)
    assert (found.kind, found.journal) == ("composite", journal("compose"))


def test_a_groth16_receipt_is_refused_where_no_host_makes_them(farm):
    with pytest.raises(errors.HostLacks, match="groth16"):
        farm.submit(FIBONACCI, stdin("one"), po2=PO2, receipt="groth16")


def test_what_a_guest_that_panicked_wrote_is_shown(farm, replay_farm):
    job = farm.submit(BLOBS / "panic.bin", stdin("panic"), po2=PO2, mode="execute")
    with pytest.raises(errors.GuestPanicked, match="the guest says why"):
        job.result(60)
    assert job.logs() == (b"about to panic\n", b"the guest says why\n")
    shown = replay_farm.types("logs", job.id, "--stderr")
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, "the guest says why\n", "")
    assert replay_farm.types("logs", job.id).stdout == "about to panic\n"


def test_a_guest_that_wrote_nothing_has_empty_logs(farm):
    job = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
    job.wait(60)
    assert job.logs() == (b"", b"")


def test_the_command_line_has_every_kind(replay_farm, tmp_path):
    one = ["--input-file", str(GOLDEN / "input-one.bin"), "--po2", str(PO2)]
    executed = replay_farm.types("prove", str(FIBONACCI), *one, "--mode", "execute", "--json")
    assert executed.returncode == 0, executed.stderr
    assert json.loads(executed.stdout)["cycles"] == SESSIONS["one"]["done"]["cycles"]
    file = tmp_path / "trace.receipt"
    traced = replay_farm.types("prove", str(FIBONACCI), *one, "--mode", "trace", "-o", str(file))
    assert traced.returncode == 0 and "nothing is proved" in traced.stdout
    refused = replay_farm.types("verify", str(file), "--image-id", IMAGES["fibonacci"])
    assert refused.returncode == 1 and "of kind trace, not risc0" in refused.stderr
    golden = str(GOLDEN / SESSIONS["one"]["receipt"])
    composed = ["--input-file", str(GOLDEN / "input-compose.bin"), "--po2", str(PO2)]
    done = replay_farm.types(
        "prove", str(COMPOSE), *composed, "--assumption", golden, "--receipt", "composite"
    )
    assert done.returncode == 0, done.stderr
    assert "receipt verified, composite" in done.stdout


@pytest.fixture(scope="module")
def real_farm(tmp_path_factory, host):
    """A farm whose hosts run guests for real; nothing in these tests is proved."""
    yield from farm_in(tmp_path_factory.mktemp("real"), host=host)


@pytest.mark.host
def test_a_composition_is_traced_as_it_would_be_proved(real_farm):
    with Farm(settings=real_farm.settings) as farm:
        one = farm.submit(FIBONACCI, stdin("one"), po2=PO2, mode="trace")
        both = farm.submit(COMPOSE, stdin("compose"), po2=PO2, mode="trace", assumptions=[one])
        assert both.wait(60).journal == journal("compose")
        again = farm.submit(COMPOSE, stdin("compose"), mode="execute", assumptions=[one.receipt()])
        assert again.result(60).journal == journal("compose")
        missing = farm.submit(COMPOSE, stdin("compose"), po2=PO2, mode="trace")
        with pytest.raises(errors.AssumptionMissing):
            missing.wait(60)


@pytest.mark.host
def test_a_long_guest_leaves_no_segments_behind(real_farm):
    with Farm(settings=real_farm.settings) as farm:
        job = farm.submit(FIBONACCI, words(u64(0), u64(1), 200_000), po2=PO2, mode="execute")
        found = job.result(60)
    assert found.segments > 20 and found.cycles["user"] > 2_000_000
    kept = [path for path in (real_farm.settings.state / "blobs").rglob("*-*") if path.is_file()]
    assert sum(path.stat().st_size for path in kept) < 2_000_000  # a segment has 100 kB and more
