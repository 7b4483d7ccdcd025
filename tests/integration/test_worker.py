"""Real worker processes with a stand-in host: steps come by Celery, what became of them is in
the ledger, and nothing that is killed or taken away leaves them stuck."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
import redis
from bench import Bench, Server, until

from farm import address, embedded, keys, queue
from farm.blobs import reference
from farm.errors import FarmError
from farm.outbox import Envelope
from farm.wire import ExecutedRecord, SegmentRecord

pytestmark = pytest.mark.redis


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    # A socket's path has a short limit.
    folder = Path("/tmp") / f"farm-{os.getpid()}"
    folder.mkdir(mode=0o700)
    server = Server(folder)
    yield server
    server.kill()
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


@pytest.fixture
def bench(server, tmp_path, standin):
    client = redis.Redis.from_url(server.url)
    client.flushall()
    client.close()
    bench = Bench(server, tmp_path, standin())
    yield bench
    bench.close()
    if os.environ.get("SHOW"):
        for log in tmp_path.glob("*.log"):
            sys.stderr.write(log.read_text())


def test_an_execution_streams_its_segments(bench):
    bench.worker("execute")
    job = bench.session()
    bench.send(job, "execute", ["program", '{"segments": 3}'], slot="execute-box-0")
    assert bench.ended(job, "execute").state == "DONE"
    found = bench.client.hgetall(keys.segments(job.session))
    records = [msgspec.json.decode(found[b"%d" % n], type=SegmentRecord) for n in range(3)]
    assert [bench.blobs.get(one.ref) for one in records] == [b"segment %d" % n for n in range(3)]
    executed = bench.client.hget(keys.session(job.session), "exec")
    record = msgspec.json.decode(executed, type=ExecutedRecord)
    assert record.segments == 3
    assert bench.blobs.get(record.journal) == b"journal"
    assert bench.blobs.get(record.stderr) == b"stderr"


def given(kind):
    """Return a receipt whose verification says so."""
    return json.dumps({"kind": kind, "digest": "aa"})


def relying(**more):
    """Return a program whose guest relies on what was given, and on something else."""
    assumed = [
        {"claim": claim, "control_root": "00", "proven": claim == "aa", "digest": "bb"}
        for claim in ("aa", "cc")
    ]
    return json.dumps({"segments": 2, "assumptions": assumed, **more})


def test_an_execution_says_what_its_guest_relies_on(bench):
    bench.worker("execute")
    job = bench.session()
    inputs = [relying(emits="keccak"), "input", given("succinct")]
    bench.send(job, "execute", inputs, slot="execute-box-0")
    assert bench.ended(job, "execute").state == "DONE"
    facts = bench.book.session(job.session)
    assert [bench.blobs.get(facts.keccaks[n].ref) for n in range(2)] == [b"segment 0", b"segment 1"]
    assert facts.executed.keccaks == 2
    assert [one.ref for one in facts.executed.assumptions] == [reference(inputs[2].encode()), ""]


def test_a_receipt_that_cannot_be_resolved_is_refused_before_anything_is_run(bench):
    bench.worker("execute")
    job = bench.session()
    inputs = [relying(), "input", given("composite")]
    bench.send(job, "execute", inputs, slot="execute-box-0")
    record = bench.ended(job, "execute")
    assert (record.state, record.code) == ("FAILED", "WrongKind")
    assert not bench.book.session(job.session).segments


def test_every_kind_of_step_has_its_task(bench):
    bench.worker("risc0")
    job = bench.session()
    for step in ("keccak:0-1", "union:0-2", "resolve:0-1", "wrap:1-2"):
        bench.send(job, step, [step.replace("-", " "), "other"])
        assert bench.ended(job, step).ref == reference(step.replace("-", " ").encode())


def test_steps_are_proved_folded_and_reported(bench):
    worker = bench.worker("risc0")
    slot = bench.ledger.slots()[0]
    assert (slot.kind, slot.machine, slot.lanes, slot.pid) == ("risc0", "box", 1, worker.pid)
    assert os.sched_getaffinity(worker.pid) == set(slot.cores)
    job = bench.session()
    bench.send(job, "prove:0-1", ["left"])
    bench.send(job, "prove:1-2", ["right"])
    for step, body in ("prove:0-1", b"left"), ("prove:1-2", b"right"):
        record = bench.ended(job, step)
        assert (record.state, record.ref) == ("REPORTED", reference(body))
        assert bench.blobs.get(record.ref) == body
    bench.send(job, "join:0-2", ["left", "right"])
    assert bench.ended(job, "join:0-2").ref == reference(b"left")


def test_the_only_slot_of_a_machine_has_all_its_cores(bench):
    bench.worker("risc0", FARM_SLOTS=1)
    assert set(bench.ledger.slots()[0].cores) == os.sched_getaffinity(0)


def test_failures_come_back_as_class_and_facts(bench):
    bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"verb": "fail", "kind": "WrongClaim", "facts": ["a", "b"]}'])
    bench.send(job, "prove:1-2", ["ab" * 32 + "-5"])
    bench.send(job, "prove:2-3", ['{"verb": "die"}'])
    bench.send(job, "prove:3-4", ['{"verb": "hang", "spin": 1}'], limit_s=0.5)
    bench.send(job, "prove:4-5", ["still well"])
    codes = {step: bench.ended(job, step) for step in [f"prove:{n}-{n + 1}" for n in range(5)]}
    assert [record.code for record in codes.values()] == [
        "WrongClaim",
        "BlobMissing",
        "HostDied",
        "StepTooLong",
        "",
    ]
    error = FarmError.named("HostDied", msgspec.json.decode(codes["prove:2-3"].facts))
    assert "exit code 70: cannot go on: no memory" in str(error)


def test_a_killed_host_fails_its_step_and_no_other(bench):
    worker = bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"spin": 30}'])
    until(lambda: bench.record(job, "prove:0-1").state == "LEASED")
    bench.send(job, "prove:1-2", ["next"])
    until(lambda: bench.record(job, "prove:1-2").state == "LEASED")  # waits for its turn
    until(lambda: bench.hosts(worker)[0].cpu_percent(0.2) > 5)
    os.kill(bench.hosts(worker)[0].pid, signal.SIGKILL)
    assert bench.ended(job, "prove:0-1").code == "HostDied"
    assert bench.ended(job, "prove:1-2").ref == reference(b"next")


def test_a_host_that_hangs_is_ended_and_the_step_given_back(bench):
    worker = bench.worker("risc0", FARM_STALL_SECONDS=1)
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"verb": "hang"}'])
    bench.send(job, "prove:1-2", ["next"])
    record = bench.ended(job, "prove:0-1")
    assert (record.code, record.facts) == ("StepHung", '["prove",1.0]')
    assert bench.ended(job, "prove:1-2").state == "REPORTED"
    assert worker.poll() is None


def test_a_killed_worker_takes_its_host_along(bench):
    worker = bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"spin": 60}'])
    until(lambda: bench.record(job, "prove:0-1").state == "LEASED")
    (host,) = bench.hosts(worker)
    worker.kill()
    worker.wait()
    assert host.wait(5) is not None or not host.is_running()
    first = bench.ledger.slots()[0].incarnation
    bench.worker("risc0")
    assert bench.ledger.slots()[0].incarnation != first


def test_cancelling_ends_the_host_and_nothing_is_reported(bench):
    worker = bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"spin": 60}'])
    until(lambda: bench.record(job, "prove:0-1").state == "LEASED")
    (host,) = bench.hosts(worker)
    until(lambda: host.cpu_percent(0.1) > 5)
    bench.ledger.cancel(job.id)
    until(lambda: not host.is_running(), 5)
    again = bench.session()
    bench.send(again, "prove:0-1", ["well"])
    assert bench.ended(again, "prove:0-1").state == "REPORTED"
    assert bench.record(job, "prove:0-1").state == "LEASED"


def test_a_message_that_came_twice_or_late_is_dropped(bench):
    bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ["once"])
    bench.ended(job, "prove:0-1")
    message = bench.book.client.lrange(keys.OUTBOX, 0, -1)[0]
    envelope = Envelope.read(message)
    queue.send_step(bench.app, envelope.queue, envelope.task, envelope.kwargs, "again")
    bad = envelope.kwargs | {"v": 99}
    queue.send_step(bench.app, envelope.queue, envelope.task, bad, "of another version")
    bench.send(job, "prove:1-2", ["after"])
    assert bench.ended(job, "prove:1-2").state == "REPORTED"
    assert bench.record(job, "prove:0-1").attempt == 1


def test_told_to_leave_it_finishes_what_it_began_and_no_more(bench):
    worker = bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"spin": 2}'])
    until(lambda: bench.record(job, "prove:0-1").state == "LEASED")
    bench.send(job, "prove:1-2", ["waits"])
    until(lambda: bench.record(job, "prove:1-2").state == "LEASED")
    worker.terminate()
    assert worker.wait(20) == 0
    assert bench.record(job, "prove:0-1").state == "REPORTED"
    assert bench.record(job, "prove:1-2").state == "LEASED"
    assert bench.ledger.slots() == []


def test_ledger_and_broker_may_be_away_for_a_while(bench):
    worker = bench.worker("risc0")
    job = bench.session()
    bench.send(job, "prove:0-1", ['{"spin": 1}'])
    until(lambda: bench.record(job, "prove:0-1").state == "LEASED")
    bench.server.kill()
    with pytest.raises(FarmError, match="does not answer"):
        queue.send_step(bench.app, "prove@3.0.risc0-box-0", "prove", {}, "nobody takes it")
    time.sleep(2)
    assert worker.poll() is None
    bench.server.start()
    assert bench.ended(job, "prove:0-1").state == "REPORTED"
    bench.send(job, "prove:1-2", ["after"])
    assert bench.ended(job, "prove:1-2").state == "REPORTED"
    assert bench.ledger.slots()[0].pid == worker.pid


def test_a_host_of_another_version_ends_the_worker_in_one_line(bench, standin):
    env = os.environ | {"FARM_HOST": standin(FARM_STANDIN_ZKVM="3.1.0")}
    env |= {"FARM_LEDGER_URL": bench.server.url, "FARM_STATE": str(bench.tmp_path)}
    command = [sys.executable, "-m", "farm", "worker", "--kind", "risc0", "--slot", "risc0-box-1"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert done.returncode == 3, done.stderr
    assert "speaks protocol 1 of zkVM 3.1.0" in done.stderr.splitlines()[-1]


def test_the_address_of_the_broker_is_celerys(bench):
    assert bench.app.conf.broker_url == address.for_celery(embedded.urls(bench.settings).broker)
    with bench.app.connection_for_read() as connection:
        assert connection.default_channel.ack_emulation is False
        assert connection.default_channel.QoS.__module__ == "kombu.transport.virtual.base"
