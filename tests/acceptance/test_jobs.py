"""What a user does with a farm, over golden receipts: prove, ask again, fetch, verify, cancel."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from console import Operator
from goldens import BLOBS, GOLDEN, IMAGES, PO2, receipt, stdin

from farm import Farm, errors
from farm.job import State

FIBONACCI = BLOBS / "fibonacci.bin"


def test_a_job_of_two_segments_ends_in_one_receipt(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
        changes = []
        receipt = job.wait(60, changes.append)
        receipt.verify(IMAGES["fibonacci"])
        assert receipt.kind == "succinct"
        assert int.from_bytes(receipt.journal, "little") == fibonacci(2500)
        assert (2, 1) in {(change.segments, change.folds) for change in changes}
        view = job.status()
        assert view.state is State.SUCCEEDED
        assert view.stats


def test_the_same_again_is_answered_from_the_store(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        first = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        before = first.wait(60)
        steps = replay_farm.answers()
        again = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        assert again.id != first.id
        assert again.status().state is State.SUCCEEDED
        assert again.wait(5).bytes == before.bytes
        assert replay_farm.answers() == steps


def test_a_kept_receipt_that_has_rotted_is_made_again(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        job.wait(60)
        ref = job.status().receipt
        kept = replay_farm.settings.state / "blobs" / ref[:2] / ref
        kept.write_bytes(b"x" + kept.read_bytes()[1:])
        again = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        again.wait(60).verify(IMAGES["fibonacci"])


def test_two_equal_jobs_at_once_are_one_proof_and_two_answers(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        first, second = (farm.submit(FIBONACCI, stdin("two"), po2=PO2) for _ in range(2))
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda job: job.wait(60).bytes, (first, second)))
        assert answers[0] == answers[1]
        assert first.status().session == second.status().session


def test_cancelling_one_of_two_leaves_the_other(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        first, second = (farm.submit(FIBONACCI, stdin("seven"), po2=PO2) for _ in range(2))
        assert first.cancel()
        with pytest.raises(errors.JobAborted):
            first.wait(10)
        second.wait(60).verify(IMAGES["fibonacci"])


def test_a_deadline_that_passes_ends_the_job(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("lucas"), po2=PO2, deadline=time.time() + 0.5)
        with pytest.raises(errors.JobTimedOut):
            job.wait(30)


def test_one_idempotency_key_is_one_job(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        jobs = {
            farm.submit(FIBONACCI, stdin("one"), po2=PO2, idempotency_key="mine").id
            for _ in range(3)
        }
    assert len(jobs) == 1


def test_the_command_line_proves_verifies_and_tells(replay_farm, tmp_path):
    file = tmp_path / "fib.receipt"
    asked = ["prove", str(FIBONACCI), "--input-file", str(GOLDEN / "input-two.bin")]
    done = replay_farm.types(*asked, "--po2", str(PO2), "-o", str(file), "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout)["job"]
    verified = replay_farm.types("verify", str(file), "--image-id", IMAGES["fibonacci"], "--json")
    assert verified.returncode == 0, verified.stderr
    status = json.loads(replay_farm.types("status", job, "--json").stdout)
    assert status["state"] == "SUCCEEDED"
    assert replay_farm.types("status").returncode == 0
    other = tmp_path / "again.receipt"
    assert replay_farm.types("receipt", job, "-o", str(other)).returncode == 0
    assert other.read_bytes() == file.read_bytes()


def test_a_rust_program_that_knows_only_risc0_reads_the_receipt(replay_farm, verifier, tmp_path):
    file = tmp_path / "fib.receipt"
    with Farm(settings=replay_farm.settings) as farm:
        receipt = farm.submit(FIBONACCI, stdin("one"), po2=PO2).wait(60)
    receipt.save(file)
    said = subprocess.run(
        [verifier, file, IMAGES["fibonacci"]], capture_output=True, text=True, check=True
    )
    assert bytes.fromhex(said.stdout) == receipt.journal
    wrong = subprocess.run([verifier, file, IMAGES["sha256"]], capture_output=True, check=False)
    assert wrong.returncode != 0


def test_the_build_that_only_verifies_verifies(verify_host, tmp_path):
    operator = Operator(tmp_path / "nowhere", host=verify_host)
    (tmp_path / "good").write_bytes(receipt("two"))
    image = ["--image-id", IMAGES["fibonacci"]]
    verified = operator.types("verify", str(tmp_path / "good"), *image, "--json")
    assert json.loads(verified.stdout)["verified"], verified.stderr
    (tmp_path / "bad").write_bytes(receipt("compose"))
    refused = operator.types("verify", str(tmp_path / "bad"), *image)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert '"verify"' in operator.types("version", "--json").stdout


def test_trace_proofs_of_a_batch_come_back_in_order(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        rounds = [1 + row % 100 for row in range(40_000)]
        outputs = farm.submit_many("fib.v0", rounds=rounds).wait(60)
        assert outputs.outputs.tolist() == [fibonacci(count) for count in rounds]
        batch = farm.submit_many("sha256.v0", witness=[[row] * (row % 9) for row in range(40_000)])
        assert batch.verify(0.01) == 400


def fibonacci(rounds):
    a, b = 0, 1
    for _ in range(rounds):
        a, b = b, a + b
    return a % (1 << 64)
