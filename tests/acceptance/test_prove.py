"""Real proofs by a real farm, minutes of every core: `make prove` (one of them in `make test`)."""

import os
import signal
import subprocess
import time
from hashlib import sha256

import psutil
import pytest
from console import farm_in, until
from goldens import BLOBS, GOLDEN, IMAGES, SESSIONS

from farm import Farm, Receipt, packed, u32, u64, words

BATCH = BLOBS / "fibonacci-batch.bin"
FIBONACCI, SHA256 = BLOBS / "fibonacci.bin", BLOBS / "sha256.bin"
COMPOSE, KECCAK = BLOBS / "compose.bin", BLOBS / "keccak.bin"
#: Keccak-256 of "farm", 82 times over, as another implementation has it.
HASHED = "42b7712380d3d4796005a18c200dedef5ef564e06651ebd16bd8b655e5b66c84"
#: One segment of 2^15, the smallest; proved in over a minute on two cores.
ROUNDS = 10
#: Two segments of 2^16.
TWO = 4_800
SECONDS = 1_200


@pytest.fixture(scope="module")
def farm(tmp_path_factory, host):
    for one in farm_in(tmp_path_factory.mktemp("farm"), host=host, segment_po2=16):
        with Farm(settings=one.settings) as client:
            client.operator = one
            yield client


def fresh():
    """Return an input that was not asked for before."""
    return words(u64(0), u64(time.time_ns()), u32(ROUNDS))


def test_one_segment_for_real(farm, verifier, tmp_path):
    receipt = farm.submit(FIBONACCI, words(u64(0), u64(1), u32(ROUNDS))).wait(SECONDS)
    receipt.verify(IMAGES["fibonacci"])
    assert int.from_bytes(receipt.journal, "little") == 55
    receipt.save(tmp_path / "fib.receipt")
    command = [verifier, tmp_path / "fib.receipt", IMAGES["fibonacci"]]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert bytes.fromhex(said.stdout) == receipt.journal


@pytest.mark.prove
def test_another_guest_fed_by_words(farm):
    message = b"a guest of one's own"
    receipt = farm.submit(SHA256, words(packed(message))).wait(SECONDS)
    receipt.verify(IMAGES["sha256"])
    assert receipt.journal == sha256(message).digest()


@pytest.mark.prove
def test_two_segments_are_folded_into_one_receipt(farm):
    before = farm.operator.answers()
    receipt = farm.submit(FIBONACCI, words(u64(0), u64(1), u32(TWO))).wait(SECONDS)
    receipt.verify(IMAGES["fibonacci"])
    # execute, two proofs, two lifts, one join: nothing twice.
    assert farm.operator.answers() - before == 6


@pytest.mark.prove
def test_a_guest_that_relies_on_another_job_needs_no_other_receipt(farm, verifier, tmp_path):
    first = farm.submit(FIBONACCI, fresh())
    fibonacci = first.wait(SECONDS)
    stdin = bytes.fromhex(IMAGES["fibonacci"]) + words(packed(fibonacci.journal))
    composed = farm.submit(COMPOSE, stdin, assumptions=[first]).wait(SECONDS)
    composed.save(tmp_path / "composed.receipt")
    command = [verifier, tmp_path / "composed.receipt", IMAGES["compose"]]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert bytes.fromhex(said.stdout) == stdin[:32] + fibonacci.journal


@pytest.mark.prove
def test_hashes_by_the_keccak_circuit(farm, verifier, tmp_path):
    # One more than fit into a proof of 2^14 rows: two proofs, and their union.
    hashed = farm.submit(KECCAK, words(u32(82), packed(b"farm")), po2=18).wait(SECONDS)
    hashed.save(tmp_path / "hashed.receipt")
    command = [verifier, tmp_path / "hashed.receipt", IMAGES["keccak"]]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert bytes.fromhex(said.stdout) == hashed.journal
    assert hashed.journal.hex() == HASHED


@pytest.mark.prove
@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize(("count", "po2"), [(1, 17), (3, 18), (4, 18), (10, 19)])
def test_many_receipts_become_one(farm, crate, tmp_path, count, po2):
    before = farm.operator.answers()
    job = farm.aggregate(members()[:count], po2=po2)
    root = job.wait(2 * SECONDS)
    root.verify(IMAGES["set-builder"])
    # execute, prove and lift of one segment, the unions, one resolve: nothing twice.
    assert farm.operator.answers() - before == 3 + (count - 1) + 1
    for given, one in zip(members(), job.members(), strict=False):
        assert one.inclusion.root_journal == root.journal
        (tmp_path / "member").write_bytes(one.inclusion.encode(root.bytes))
        command = [crate, "verify", IMAGES["set-builder"], tmp_path / "member"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said.stdout.strip() == given.digest


def members():
    """Return ten golden receipts, of three programs."""
    names = ["one", "compose", "keccak", "two", "seven", "lucas"]
    files = [(SESSIONS[name]["program"], SESSIONS[name]["receipt"]) for name in names]
    files += [("fibonacci", f"receipt-rounds-{rounds}.bin") for rounds in (3, 5, 8, 13)]
    return [Receipt.load(GOLDEN / file, IMAGES[program]) for program, file in files]


@pytest.mark.prove
def test_fifty_jobs_share_one_proof(farm):
    farm.register(BATCH, batch=True)
    before = farm.operator.answers()
    inputs = [(number, number + 1, ROUNDS) for number in range(50)]
    jobs = [farm.submit(BATCH, words(u64(a), u64(b), u32(n)), po2=17) for a, b, n in inputs]
    receipts = {job.wait(SECONDS).bytes for job in jobs}
    # Some may have come too late for the first list; execute, prove and lift of each list.
    assert farm.operator.answers() - before == 3 * len(receipts) <= 6
    for job, (a, b, _) in zip(jobs, inputs, strict=True):
        assert int.from_bytes(job.output(), "little") == 34 * a + 55 * b


@pytest.mark.prove
@pytest.mark.parametrize("victim", ["worker", "host child", "scheduler"])
def test_a_job_outlives_kill_9(farm, victim):
    operator, before = farm.operator, farm.operator.answers()
    job = farm.submit(FIBONACCI, fresh())
    until(lambda: operator.answers() - before >= 2, 120)  # executed and proved; the lift runs
    time.sleep(5)
    for process in victims(operator, victim):
        os.kill(process.pid, signal.SIGKILL)
    job.wait(SECONDS).verify(IMAGES["fibonacci"])
    # execute, prove, lift; the step in flight (proof and lift) may be done again.
    assert operator.answers() - before <= 3 + 1


def victims(operator, what):
    """Return the processes to kill; of the provers only the one that is at work."""
    if what == "scheduler":
        return [psutil.Process(operator.pid("scheduler"))]
    slots = ("risc0-0", "risc0-1")
    hosts = {child: slot for slot in slots for child in operator.hosts(slot)}
    for child in hosts:
        child.cpu_percent()
    time.sleep(1)
    child = max(hosts, key=lambda one: one.cpu_percent())
    return [child] if what == "host child" else [psutil.Process(operator.pid(hosts[child]))]


@pytest.mark.prove
def test_what_is_asked_again_is_not_proved_again(farm):
    before = farm.operator.answers()
    farm.submit(FIBONACCI, words(u64(0), u64(1), u32(TWO))).wait(30)
    assert farm.operator.answers() == before
