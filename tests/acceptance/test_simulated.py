"""A farm that plays its provers: real scheduler, broker and workers, simulated GPUs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from console import farm_in

from farm import Farm, running, simulated_device, verify
from farm.errors import AssumptionMissing, BadInput, GuestPanicked, WrongClaim, WrongKind
from farm.simulated_verbs import image_id

PROGRAM = b"any bytes"
#: Times faster than the cards that are played.
SPEED = 20


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Four simulated RTX 5090 in two processes, and an executor."""
    own = {"slots": 4, "slots_per_process": 2, "trace_slots": 1, "beat_seconds": 0.25}
    state = tmp_path_factory.mktemp("farm")
    yield from farm_in(state, simulated="rtx5090", simulated_speed=SPEED, **own)


def guest(**words):
    return json.dumps(words).encode()


def test_a_job_goes_all_the_way_and_its_receipt_is_never_one_of_risc0(simulated):
    with Farm(settings=simulated.settings) as farm:
        job = farm.submit(PROGRAM, guest(segments=8, label="eight"), po2=21)
        receipt = job.wait(60)
    assert (receipt.kind, receipt.image_id) == ("simulated", image_id(PROGRAM))
    assert receipt.verify(receipt.image_id).kind == "simulated"
    with pytest.raises(WrongKind, match="of kind simulated, not risc0"):
        verify.verify(receipt.bytes, receipt.image_id)
    with pytest.raises(WrongKind, match="of kind simulated, not risc0"):
        type(receipt).read(receipt.bytes, receipt.image_id)
    with pytest.raises(WrongClaim):
        receipt.verify("11" * 32)


def test_the_devices_record_each_step_once_and_share_the_work(simulated):
    with Farm(settings=simulated.settings) as farm:
        farm.submit(PROGRAM, guest(segments=16, label="sixteen"), po2=21).wait(60)
    begun = [line for line in simulated_device.read(simulated.state) if line.label == "sixteen"]
    kinds = [line.verb for line in begun]
    assert {verb: kinds.count(verb) for verb in set(kinds)} == {"prove": 16, "lift": 16, "join": 15}
    assert len({line.step.split()[0] for line in begun}) == 4
    assert max(line.span for line in begun if line.verb == "join" and line.span[0] == 0) == (0, 16)


def test_how_a_guest_ends_badly_comes_back(simulated):
    with Farm(settings=simulated.settings) as farm:
        job = farm.submit(PROGRAM, guest(panics="oh no"), po2=21)
        with pytest.raises(GuestPanicked, match="oh no"):
            job.wait(60)


def test_keccak_and_assumptions_are_planned_as_for_real(simulated):
    with Farm(settings=simulated.settings) as farm:
        inner = farm.submit(PROGRAM, guest(label="inner"), po2=21)
        digest = inner.wait(60).digest
        words = guest(segments=2, keccaks=3, assumes=[digest], label="outer")
        receipt = farm.submit(PROGRAM, words, po2=21, assumptions=[inner]).wait(60)
        assert receipt.verify(image_id(PROGRAM)).kind == "simulated"
        missing = farm.submit(PROGRAM, guest(assumes=["ab" * 32]), po2=21)
        with pytest.raises(AssumptionMissing):
            missing.wait(60)
    verbs = [one.verb for one in simulated_device.read(simulated.state) if one.label == "outer"]
    counts = {verb: verbs.count(verb) for verb in ("prove-keccak", "union", "resolve")}
    assert counts == {"prove-keccak": 3, "union": 2, "resolve": 2}


def test_what_a_simulated_guest_does_is_not_committed_to(simulated):
    with Farm(settings=simulated.settings) as farm:
        with pytest.raises(BadInput, match="no traces"):
            farm.submit(PROGRAM, guest(), mode="trace")
        words = guest(segments=3, journal=5)
        found = farm.submit(PROGRAM, words, mode="execute", po2=21).result(60)
    assert len(found.journal) == 5


def test_receipts_become_one_as_for_real(simulated):
    with Farm(settings=simulated.settings) as farm:
        first = [farm.submit(PROGRAM, guest(label=f"member-{number}")) for number in range(10)]
        given = [first[0].wait(60), *first[1:]]
        job = farm.aggregate(given, po2=21)
        root = job.wait(60)
        assert root.kind == "simulated" and len(job.members()) == 10
        assert {one.inclusion.root_journal for one in job.members()} == {root.journal}
        # Sets are jobs as others are, and may be members: what is in them is verified in two steps.
        other = farm.aggregate(first[:3], po2=21)
        upper = farm.aggregate([job, other], po2=21)
        upper.wait(60)
        lower = other.members()[0].inclusion
        assert upper.members()[1].inclusion.journal == lower.root_journal
    assert any(line.verb == "union" for line in simulated_device.read(simulated.state))


def test_the_operator_is_told_that_nothing_is_proved(simulated):
    (note,) = running.status(simulated.state).notes
    assert note.startswith("simulated by profile rtx5090: nothing is proved")


def test_the_benchmarks_print_goal_and_figure():
    """In small: that they run, not what they find."""
    script = Path(__file__).resolve().parents[2] / "load" / "simulated.py"
    command = [sys.executable, script, "--short", "--speed", "10"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert done.stdout.startswith("the cards' clock runs at 10 of real: not a measurement")
    assert [row["goal"].split(",")[0] for row in rows] == [
        "cards busy until work runs out",
        "last segment to receipt",
        "least share of a tenant",
        "small jobs' p95",
        "makespan of the mix",
        "device seconds repeated or lost under kills",
    ]
    assert done.returncode == (0 if all(row["met"] for row in rows) else 1), done.stderr
