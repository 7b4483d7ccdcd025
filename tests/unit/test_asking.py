"""Jobs of every kind, as a client asks for them: what is refused, stored, told and fetched."""

import pytest
from fake_farm import FakeLedger, MemoryBlobs, change, view
from sessions import executed, slot

from farm import Farm, played, submission, verify
from farm import settings as config
from farm.blobs import reference
from farm.errors import (
    BadInput,
    GuestPanicked,
    HostLacks,
    JobFailed,
    NoReceipt,
    UnknownJob,
    WaitTimeout,
    WrongKind,
)
from farm.execution import stats
from farm.job import State
from farm.receipt import Receipt
from farm.verify import Verified

IMAGE = "ab" * 32
INPUT = reference(b"input").partition("-")[0]
TRACE = played.write(IMAGE, INPUT, 7, b"journal")


@pytest.fixture
def farm(tmp_path, monkeypatch):
    made = Farm(settings=config.load(state=tmp_path))
    made.ledger, made.blobs = FakeLedger(), MemoryBlobs()
    monkeypatch.setattr(verify, "image_id", lambda program, settings: IMAGE)
    kinds = {b"proof": "succinct", b"proofs": "composite"}

    def check(receipt, image, settings):
        return Verified(kinds[receipt], "cd" * 32, b"journal")

    monkeypatch.setattr(verify, "verify", check)
    return made


def spec(farm, **given):
    farm.submit(b"program", b"input", **given)
    return farm.ledger.specs[-1]


def ended(farm, state=State.SUCCEEDED, receipt=b"proof", given=None, **fields):
    job = farm.submit(b"program", b"input", **(given or {}))
    asked = farm.ledger.specs[-1]
    if state is State.SUCCEEDED:
        refs = {"receipt": farm.blobs.put(receipt), "journal": farm.blobs.put(b"journal")}
        fields = refs | fields
    farm.ledger.views[job.id] = view(asked, state, session="s", **fields)
    farm.ledger.script = [[change(1), change(2, state)]]
    return job


@pytest.mark.parametrize(
    ("mode", "receipt", "kinds"),
    [
        ("risc0", "composite", ("risc0", "composite")),
        ("trace", "composite", ("trace", "trace")),
        ("execute", "succinct", ("execute", "execute")),
    ],
)
def test_the_kind_of_receipt_says_nothing_of_what_is_not_proved(farm, mode, receipt, kinds):
    asked = spec(farm, mode=mode, receipt=receipt)
    assert (asked.kind, asked.receipt) == kinds
    assert asked.proved is (mode == "risc0")


@pytest.mark.parametrize("given", [{"mode": "fake"}, {"receipt": "snark"}, {"mode": None}])
def test_a_kind_that_there_is_not_is_refused(farm, given):
    with pytest.raises(BadInput, match="not one of"):
        farm.submit(b"program", **given)
    assert not farm.blobs.bodies and not farm.ledger.specs


def test_a_groth16_receipt_needs_a_host_that_says_that_it_has_it(farm):
    assert spec(farm, receipt="groth16").receipt == "groth16"  # nobody is up to ask
    farm.ledger.up = [slot(0, host="0.1.0 real cpu"), slot(0, kind="execute")]
    with pytest.raises(HostLacks, match="can make a groth16 receipt: none has feature groth16"):
        farm.submit(b"program", receipt="groth16")
    assert spec(farm, receipt="composite").receipt == "composite"
    farm.ledger.up.append(slot(1, host="0.1.0 real cpu groth16"))
    assert spec(farm, receipt="groth16").receipt == "groth16"


def test_each_body_is_digested_once_and_stored_when_all_is_checked(farm, monkeypatch):
    digested = []
    monkeypatch.setattr(
        submission, "reference", lambda body: digested.append(body) or reference(body)
    )
    monkeypatch.setattr(farm.blobs, "put", lambda body, ref: digested.append(ref))
    farm.submit(b"program", b"input", assumptions=[b"proof"])
    bodies = [b"program", b"input", b"proof"]
    assert digested == [*bodies, *map(reference, bodies)]
    del digested[3:]
    with pytest.raises(BadInput):
        farm.submit(b"program", b"input", assumptions=[b"proof"], po2=15)
    assert all(isinstance(one, bytes) for one in digested)


def test_receipts_that_a_guest_relies_on_are_stored_and_named(farm):
    proof = Receipt(b"proof", b"journal", IMAGE, "cd" * 32)
    asked = spec(farm, assumptions=[proof, b"other"])
    assert asked.assumptions == [reference(b"proof"), reference(b"other")]
    assert farm.blobs.get(asked.assumptions[1]) == b"other"


def test_jobs_that_a_guest_relies_on_are_named(farm):
    first, second = ended(farm), ended(farm, State.RUNNING)
    assert spec(farm, assumptions=[first, second.id]).assumptions == [first.id, second.id]
    with pytest.raises(UnknownJob):
        farm.submit(b"program", assumptions=["j0"])
    failed = ended(farm, State.FAILED, code="GuestPanicked", facts=["why"])
    with pytest.raises(BadInput, match=f"assumption: job {failed.id}: guest panicked: why"):
        farm.submit(b"program", assumptions=[failed])


@pytest.mark.parametrize("mode", ["trace", "execute"])
def test_what_is_not_proved_may_rely_on_what_is_not(farm, mode):
    trace = ended(farm, given={"mode": "trace"}, receipt=TRACE)
    assert spec(farm, mode=mode, assumptions=[trace, TRACE]).assumptions[0] == trace.id
    for one in (trace, TRACE, trace.receipt()):
        with pytest.raises(WrongKind, match="kind trace, not succinct"):
            farm.submit(b"program", assumptions=[one])
    bare = ended(farm, given={"mode": "execute"})
    with pytest.raises(NoReceipt):
        farm.submit(b"program", mode=mode, assumptions=[bare])


def test_only_a_composite_receipt_takes_others_than_succinct_ones(farm):
    other = Receipt(b"proofs", b"journal", IMAGE, "cd" * 32, "composite")
    with pytest.raises(WrongKind, match="kind composite, not succinct"):
        farm.submit(b"program", assumptions=[other])
    assert spec(farm, receipt="composite", assumptions=[other]).assumptions
    with pytest.raises(WrongKind, match="simulated"):
        farm.submit(b"program", mode="trace", assumptions=[b"PFS1" + bytes(60)])


@pytest.mark.parametrize("mode", ["risc0", "execute"])
def test_a_simulated_farm_takes_its_own_receipts_alone(tmp_path, farm, mode):
    farm.settings = config.load(state=tmp_path, simulated="rtx5090")
    played = b"PFS1" + bytes(60)
    assert spec(farm, mode=mode, assumptions=[played]).assumptions == [reference(played)]
    proof = ended(farm, State.RUNNING)
    assert spec(farm, mode=mode, assumptions=[proof]).assumptions == [proof.id]
    with pytest.raises(WrongKind, match="kind succinct, not simulated"):
        farm.submit(b"program", mode=mode, assumptions=[b"proof"])


def test_what_was_only_executed_has_an_execution_and_no_receipt(farm):
    kept = stats(executed(3)) | {"repeated": 0}
    job = ended(farm, given={"mode": "execute"}, receipt=b"journal", stats=kept)
    found = job.result()
    assert (found.journal, found.segments, found.cycles) == (b"journal", 3, {"total": 3})
    assert (found.image_id, found.sys_exit, found.user_exit) == (IMAGE, 0, 0)
    with pytest.raises(NoReceipt, match="was only executed"):
        job.wait()
    assert ended(farm, stats=kept).execution() == found


def test_a_trace_job_gives_a_receipt_of_its_kind_and_a_proved_one_never(farm):
    receipt = ended(farm, given={"mode": "trace"}, receipt=TRACE).wait()
    assert (receipt.kind, receipt.journal) == ("trace", b"journal")
    with pytest.raises(WrongKind, match="kind risc0, not trace"):
        ended(farm, given={"mode": "trace"}).wait()


def test_a_receipt_of_another_kind_than_asked_for_is_not_given(farm):
    with pytest.raises(WrongKind, match="kind composite, not succinct"):
        ended(farm, receipt=b"proofs").wait()
    assert ended(farm, receipt=b"proofs", given={"receipt": "composite"}).wait().journal


def test_what_a_guest_wrote_is_fetched_however_it_ended(farm):
    out, err = farm.blobs.put(b"out"), farm.blobs.put(b"err")
    kept = {"stdout": out, "stderr": err}
    assert ended(farm, stats=kept).logs() == (b"out", b"err")
    failed = GuestPanicked("why").keeping([out, err])
    job = ended(farm, State.FAILED, code=failed.code, facts=list(failed.facts))
    assert job.logs() == (b"out", b"err")
    with pytest.raises(GuestPanicked, match=r"^guest panicked: why$"):
        job.wait()


def test_what_a_guest_wrote_is_fetched_while_its_proof_goes_on(farm):
    job = ended(farm, State.RUNNING)
    with pytest.raises(WaitTimeout):
        job.logs()
    farm.ledger.records["s"] = executed(3)
    assert job.logs() == (b"", b"")


def test_of_a_guest_that_did_not_end_nothing_is_kept(farm):
    job = ended(farm, State.ABORTED, code="JobAborted", facts=["j", "by request"])
    with pytest.raises(JobFailed, match="nothing that it wrote is kept"):
        job.logs()


@pytest.mark.parametrize(
    ("setting", "held", "po2"), [("auto", 19, 19), ("auto", 0, 20), (18, 19, 18), (20, 16, 16)]
)
def test_without_a_size_the_slots_and_the_setting_decide(farm, setting, held, po2):
    farm.settings = farm.settings.model_copy(update={"segment_po2": setting})
    farm.ledger.up = [slot(0, po2=held)]
    assert spec(farm).po2 == po2
    assert spec(farm, po2=22).po2 == 22, "who names one gets it"


def test_a_set_of_too_many_is_made_in_two_steps(farm):
    with pytest.raises(BadInput, match="at most 10000 of the 10001"):
        farm.aggregate([b"proof"] * 10_001)
