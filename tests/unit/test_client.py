"""The client: what is checked before a job is submitted, and what waiting for it gives."""

from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import msgspec
import pytest
from fake_farm import FakeLedger, MemoryBlobs, change, view

from farm import Farm, blobs, u64, verify, words
from farm import settings as config
from farm.errors import (
    BadInput,
    BadProgram,
    BadReceipt,
    BadSetting,
    GuestPanicked,
    ImageMismatch,
    InputTooLarge,
    JobAborted,
    LedgerDown,
    UnknownJob,
    WaitTimeout,
)
from farm.job import JobSpec, State
from farm.verify import Verified

IMAGE = "ab" * 32


@pytest.fixture
def farm(tmp_path, monkeypatch):
    made = Farm(settings=config.load(state=tmp_path, input_limit=100, program_limit=50))
    made.ledger, made.blobs = FakeLedger(), MemoryBlobs()
    made.checked = []

    def image_id(program, settings):
        made.checked.append(program)
        return IMAGE

    def check(receipt, image, settings):
        if receipt != b"good receipt" or image != IMAGE:
            raise BadReceipt("no")
        return Verified("succinct", "cd" * 32, b"journal")

    monkeypatch.setattr(verify, "image_id", image_id)
    monkeypatch.setattr(verify, "verify", check)
    return made


def ended(farm, state=State.SUCCEEDED, receipt=b"good receipt", **fields):
    job = farm.submit(b"program", b"input")
    ref = farm.blobs.put(receipt)
    spec = farm.ledger.specs[-1]
    farm.ledger.views[job.id] = view(spec, state, receipt=ref, journal=ref, **fields)
    farm.ledger.script = [[change(1), change(2, state)]]
    return job


def test_bodies_are_stored_before_the_job_is_submitted(farm):
    job = farm.submit(b"program", words(u64(7)), po2=18, priority=3, idempotency_key="k")
    (spec,) = farm.ledger.specs
    assert farm.blobs.get(spec.program) == b"program"
    assert farm.blobs.get(spec.input) == words(u64(7))
    assert (spec.id, spec.image_id, spec.po2, spec.priority) == (job.id, IMAGE, 18, 3)
    assert (spec.cycle_limit, spec.input_limit) == (farm.settings.cycle_limit, 100)
    assert (spec.idempotency_key, len(spec.seed)) == ("k", 64)


def test_what_is_new_is_digested_once(farm, tmp_path, monkeypatch):
    digested = []

    def counted(body):
        digested.append(body)
        return sha256(body)

    monkeypatch.setattr(blobs, "sha256", counted)
    farm.blobs = blobs.DirectoryBlobs(tmp_path / "blobs")
    farm.submit(b"program", b"input")
    assert sorted(digested) == [b"input", b"program"]
    (spec,) = farm.ledger.specs
    assert [farm.blobs.get(ref) for ref in (spec.program, spec.input)] == [b"program", b"input"]


def test_a_program_may_be_a_file_and_is_identified_once(farm, tmp_path):
    path = tmp_path / "guest.bin"
    path.write_bytes(b"program")
    farm.submit(path)
    farm.submit(str(path), b"other")
    assert farm.checked == [b"program"]


@pytest.mark.parametrize(
    ("program", "text"),
    [(b"", "it is empty"), (b"x" * 51, "51 bytes are over 50"), ("/no/such", "No such file")],
)
def test_a_program_that_cannot_be_one_is_refused(farm, program, text):
    with pytest.raises(BadProgram, match=text):
        farm.submit(program)
    assert not farm.ledger.specs and not farm.blobs.bodies


def test_another_image_id_than_the_one_named_is_refused(farm):
    farm.submit(b"program", image_id=IMAGE.upper())
    with pytest.raises(ImageMismatch, match=f"has image id {IMAGE}, not beef"):
        farm.submit(b"program", image_id="beef")


def test_an_input_over_the_limit_is_refused_before_it_is_stored(farm):
    with pytest.raises(InputTooLarge, match="101 bytes is over the limit of 100"):
        farm.submit(b"program", bytes(101))
    assert not farm.blobs.bodies


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"priority": 1.5}, "priority"),
        ({"priority": 1 << 40}, "priority"),
        ({"deadline": "tomorrow"}, "deadline"),
        ({"deadline": float("nan")}, "deadline"),
        ({"cycle_limit": 1e9 + 0.5}, "cycle_limit"),
        ({"cycle_limit": 0}, "cycle_limit"),
        ({"cycle_limit": 1 << 70}, "cycle_limit"),
        ({"po2": "16"}, "po2"),
        ({"po2": 15}, "po2 is 15, not 14 or 16 to 22"),
        ({"po2": 0}, "po2"),
        ({"po2": 23}, "po2"),
        ({"idempotency_key": 7}, "idempotency_key"),
        ({"priority": object()}, "job: "),
    ],
)
def test_a_job_that_no_scheduler_could_read_is_refused(farm, given, text):
    with pytest.raises(BadInput, match=text):
        farm.submit(b"program", **given)
    assert not farm.ledger.specs and not farm.blobs.bodies


def test_what_is_submitted_has_the_types_it_is_read_with(farm):
    farm.submit(b"program", po2=14, deadline=7, cycle_limit=9)
    spec = farm.ledger.specs[-1]
    assert msgspec.json.decode(msgspec.json.encode(spec), type=JobSpec) == spec


@pytest.mark.parametrize("namespace", ["", "a:b"])
def test_a_namespace_that_names_cannot_carry_is_refused(tmp_path, namespace):
    with pytest.raises(BadSetting, match="namespace"):
        Farm(settings=config.load(state=tmp_path, namespace=namespace))


def test_waiting_gives_the_verified_receipt(farm):
    told = []
    receipt = ended(farm).wait(progress=told.append)
    assert (receipt.bytes, receipt.journal) == (b"good receipt", b"journal")
    assert (receipt.image_id, receipt.kind) == (IMAGE, "succinct")
    assert [one.id for one in told] == ["1-0", "2-0"]


def test_a_receipt_that_does_not_verify_is_not_given(farm):
    with pytest.raises(BadReceipt):
        ended(farm, receipt=b"another").wait()


def test_a_job_that_failed_raises_what_its_step_raised(farm):
    job = ended(farm, State.FAILED, code="GuestPanicked", facts=["index out of bounds"])
    with pytest.raises(GuestPanicked, match="guest panicked: index out of bounds"):
        job.wait()


def test_a_cancelled_job_says_so(farm):
    with pytest.raises(JobAborted):
        ended(farm, State.ABORTED, code="JobAborted", facts=["j", "by request"]).wait()


def test_waiting_ends_in_time(farm):
    job = ended(farm, State.RUNNING)
    farm.ledger.script = [[change(1)]]
    with pytest.raises(WaitTimeout, match="is still RUNNING after 0 s"):
        job.wait(timeout=0)


def test_a_receipt_of_a_running_job_is_not_there_yet(farm):
    with pytest.raises(WaitTimeout):
        ended(farm, State.RUNNING).receipt()


def test_an_unknown_job_is_an_error(farm):
    with pytest.raises(UnknownJob, match="no job j0 in this farm"):
        farm.job("j0").wait()


def test_without_a_farm_nothing_is_stored(tmp_path):
    farm = Farm(settings=config.load(state=tmp_path))
    with pytest.raises(LedgerDown, match="farm up"):
        farm.submit(b"program")
    with pytest.raises(LedgerDown):
        farm.submit_many("fib.v0", [1])
    assert list(tmp_path.iterdir()) == []


def test_threads_share_one_farm(farm):
    with ThreadPoolExecutor(8) as pool:
        jobs = list(pool.map(lambda number: farm.submit(b"program", b"%d" % number), range(40)))
    assert len({job.id for job in jobs}) == len(farm.ledger.specs) == 40
