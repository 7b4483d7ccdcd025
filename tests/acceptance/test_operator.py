"""What an operator types to look after a farm: ls, cancel, rm, doctor, sweep; and deadlines."""

import json
import os
import time

import pytest
from console import Operator, farm_in, free_port, until
from goldens import BLOBS, GOLDEN, IMAGES, PO2, stdin

from farm import Farm, errors
from farm.job import State

FIBONACCI = BLOBS / "fibonacci.bin"
ASKED = [str(FIBONACCI), "--po2", str(PO2), "--input-file"]


def asked(session):
    return [*ASKED, str(GOLDEN / f"input-{session}.bin")]


def typed(operator, *words, code=0, **env):
    """Return what a command prints as JSON."""
    done = operator.types(*words, "--json", **env)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_jobs_and_batches_are_listed(replay_farm):
    job = typed(replay_farm, "prove", *asked("two"))["job"]
    with Farm(settings=replay_farm.settings) as farm:
        batch = farm.submit_many("fib.v0", rounds=list(range(1, 101))).id
        until(lambda: farm.ledger.trace_view(batch).state.ended)
    rows = {row["id"]: row for row in typed(replay_farm, "ls")}
    assert (rows[job]["state"], rows[job]["segments"], rows[job]["code"]) == ("SUCCEEDED", 2, "")
    assert (rows[batch]["kind"], rows[batch]["text"]) == ("batch", "1 of 1 chunks, 100 x fib.v0")
    listed = replay_farm.types("ls", "--state", "succeeded", "--limit", "9").stdout.splitlines()
    assert listed[0].split() == ["job", "state", "segments", "age", "kind", "tenant", "error"]
    assert any(line.startswith(f"{job}  succeeded  2 ") for line in listed[1:])
    assert typed(replay_farm, "ls", "--state", "failed") == []


@pytest.fixture
def stuck_farm(tmp_path, host):
    """A farm whose hosts do not answer before a test is over."""
    patient = {"replay_delay_ms": 600_000, "stall_seconds": 600, "beat_seconds": 0.25}
    yield from farm_in(tmp_path, host=host, replay=str(GOLDEN), **patient)


def test_a_running_job_is_cancelled_before_it_is_removed(stuck_farm):
    job = typed(stuck_farm, "submit", *asked("seven"))["job"]
    until(lambda: typed(stuck_farm, "ls")[0]["state"] == "RUNNING", 60)
    refused = stuck_farm.types("rm", job)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"farm: job {job} is running: cancel it first (`farm cancel {job}`)\n"
    assert stuck_farm.types("cancel", job).stdout == f"{job} is cancelled\n"
    # Asked again, as one does whose first answer got lost.
    assert stuck_farm.types("cancel", job).stdout == f"{job} is cancelled\n"
    (row,) = typed(stuck_farm, "ls")
    assert (row["state"], row["code"]) == ("ABORTED", "JobAborted")
    assert stuck_farm.types("rm", job).stdout == f"{job} is removed\n"
    assert stuck_farm.types("ls").stdout == "no jobs\n"
    assert f"no job {job}" in stuck_farm.types("status", job).stderr


def test_of_several_jobs_one_that_is_refused_stops_no_other(replay_farm):
    jobs = [typed(replay_farm, "prove", *asked("one"))["job"] for _ in range(2)]
    done = replay_farm.types("rm", jobs[0], "j0", jobs[1])
    assert (done.returncode, done.stderr) == (1, "farm: no job j0 in this farm\n")
    assert done.stdout == "".join(f"{job} is removed\n" for job in jobs)


def test_a_doctor_finds_a_farm_in_order(replay_farm):
    found = {one["name"]: one for one in typed(replay_farm, "doctor")}
    names = ["system", "host", "kernel", "memory", "disk", "ledger", "broker", "scratch"]
    names += ["eviction", "persistence", "clock", "store", "sweep", "scheduler", "slots"]
    names += ["versions", "api"]
    # Celery's spelling of the broker's address is nobody else's.
    assert [name for name in names if name != "broker"] == list(found)
    for name in (
        "ledger",
        "scratch",
        "eviction",
        "persistence",
        "clock",
        "scheduler",
        "versions",
        "api",
    ):
        assert found[name]["level"] == "ok", found[name]
    assert found["slots"]["said"] == "1 execute, 2 risc0, 2 trace"
    lines = replay_farm.types("doctor").stdout.splitlines()
    assert len(lines) == len(found) and all(line[:4].strip() in ("ok", "warn") for line in lines)


def test_a_doctor_without_a_farm_says_how_to_start_one(tmp_path):
    done = Operator(tmp_path / "state").types("doctor")
    assert done.returncode == 1
    assert "bad   " in done.stdout and "-> farm up --detach" in done.stdout


def test_a_doctor_finds_workers_that_cannot_work(tmp_path, host):
    given = {"host": host, "replay": str(GOLDEN), "kernel": "/nowhere.so", "trace_slots": 1}
    for operator in farm_in(tmp_path, **given):
        found = {one["name"]: one for one in typed(operator, "doctor", code=1)}
        assert (found["kernel"]["level"], found["kernel"]["step"]) == ("bad", "make kernel")
        assert found["slots"]["level"] == "warn"
        assert found["slots"]["said"] == "1 execute, 2 risc0; not running: trace-0"
        assert found["slots"]["step"] == f"see {operator.state}/logs/trace-0.log"


def test_a_sweep_takes_what_nobody_needs_and_says_so(replay_farm):
    job = typed(replay_farm, "prove", *asked("two"))["job"]
    with Farm(settings=replay_farm.settings) as farm:
        ref = farm.blobs.put(b"nobody's")
        os.utime(replay_farm.state / "blobs" / ref[:2] / ref, (1e9, 1e9))
        assert typed(replay_farm, "sweep", "--dry-run")["blobs"] == 1
        assert farm.blobs.has(ref)
        assert typed(replay_farm, "sweep")["blobs"] == 1
        assert not farm.blobs.has(ref)
        farm.job(job).wait(5).verify(IMAGES["fibonacci"])
    found = {one["name"]: one for one in typed(replay_farm, "doctor")}
    assert "1 blobs" in found["sweep"]["said"]


def test_a_receipt_past_its_time_is_said_to_be_and_proved_anew(replay_farm):
    job = typed(replay_farm, "prove", *asked("one"))["job"]
    old = {"FARM_KEEP_RECEIPTS_DAYS": "0", "FARM_STEP_SECONDS": "0"}
    assert typed(replay_farm, "sweep", **old)["answers"] >= 1
    gone = replay_farm.types("receipt", job)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert f"the receipt of job {job} is not kept any more" in gone.stderr
    before = replay_farm.answers()
    assert typed(replay_farm, "prove", *asked("one"))["job"] != job
    assert replay_farm.answers() > before


def test_a_deadline_that_passes_ends_the_command(stuck_farm):
    done = stuck_farm.types("prove", *asked("lucas"), "--deadline", "0.7")
    assert (done.returncode, done.stdout) == (1, "")
    assert "passed its deadline" in done.stderr.splitlines()[-1]
    (row,) = typed(stuck_farm, "ls", "--state", "timed_out")
    assert row["code"] == "JobTimedOut"


def test_who_is_too_late_before_it_starts_costs_nothing(replay_farm):
    before = replay_farm.answers()
    done = replay_farm.types("prove", *asked("seven"), "--deadline", "-1")
    assert done.returncode == 1 and "passed its deadline" in done.stderr
    with Farm(settings=replay_farm.settings) as farm:
        job = farm.submit(FIBONACCI, stdin("seven"), po2=PO2, deadline=time.time() - 1)
        with pytest.raises(errors.JobTimedOut):
            job.wait(20)
        assert (job.status().state, job.status().started) == (State.TIMED_OUT, 0)
    assert replay_farm.answers() == before


def test_a_second_farm_on_the_same_ledger_is_refused(replay_farm, tmp_path):
    from farm import embedded

    ledger = embedded.urls(replay_farm.settings).ledger
    given = {"ledger_url": ledger, "flower_port": free_port(), "slots": 1}
    second = Operator(tmp_path / "second", **given)
    refused = second.types("up", "--detach")
    assert refused.returncode == 1
    assert "belongs to blob store" in refused.stderr and refused.stderr.count("\n") == 1
    client = second.types("submit", *asked("one"))
    assert client.returncode == 1 and "belongs to blob store" in client.stderr
    assert second.left() == []
