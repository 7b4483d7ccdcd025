"""Batched guests do for each input what the single ones do; the real executor runs them."""

import json
from hashlib import sha256

import pytest
from console import farm_in
from goldens import BLOBS, IMAGES

from farm import Farm, batched, packed, u32, u64, words
from farm.errors import BadInput, GuestPanicked
from farm.host import HostChild

BATCH = BLOBS / "fibonacci-batch.bin"
INPUTS = {
    "fibonacci": [words(u64(n), u64(n + 1), u32(10 + n)) for n in range(50)],
    "sha256": [words(packed(bytes(n))) for n in range(50)],
}


@pytest.fixture(scope="module")
def child(host):
    child = HostChild(host)
    yield child
    child.close()


def execute(child, guest, stdin):
    parts = [(BLOBS / f"{guest}.bin").read_bytes(), stdin]
    return child.request("execute", {"po2": 20, "proved": False}, parts)


@pytest.mark.parametrize("count", [0, 1, 3, 50])
@pytest.mark.parametrize("guest", ["fibonacci", "sha256"])
def test_each_output_is_that_of_the_single_guest(child, guest, count):
    inputs = INPUTS[guest][:count]
    singles = [bytes(execute(child, guest, one).parts[0]) for one in inputs]
    answer = execute(child, f"{guest}-batch", batched.stdin(inputs))
    assert answer.parts[0] == batched.journal([*zip(inputs, singles, strict=True)])
    digests = [sha256(one).hexdigest() for one in inputs]
    assert [one.digest for one in batched.outputs(bytes(answer.parts[0]))] == digests


@pytest.mark.parametrize("bad", [b"", b"four", INPUTS["fibonacci"][0][:-1]])
def test_one_bad_input_stops_all(child, bad):
    with pytest.raises(GuestPanicked):
        execute(child, "fibonacci-batch", batched.stdin([INPUTS["fibonacci"][0], bad]))


def test_fifty_together_take_a_small_part_of_the_rows_that_they_take_alone(child):
    inputs = INPUTS["fibonacci"]
    alone = sum(execute(child, "fibonacci", one).done["cycles"]["total"] for one in inputs)
    together = execute(child, "fibonacci-batch", batched.stdin(inputs)).done["cycles"]["total"]
    assert together * 10 <= alone


@pytest.fixture(scope="module")
def farm(tmp_path_factory, host):
    """A farm with a real host, for guests that are only executed."""
    for one in farm_in(tmp_path_factory.mktemp("farm"), host=host):
        with Farm(settings=one.settings) as client:
            client.operator = one
            client.register(BATCH, "fibonacci", batch=True)
            yield client


def test_jobs_that_are_submitted_singly_share_one_execution(farm):
    before = farm.operator.answers()
    jobs = [farm.submit(BATCH, one, mode="trace") for one in INPUTS["fibonacci"]]
    receipts = {job.wait(60).bytes for job in jobs}
    outputs = [int.from_bytes(job.output(), "little") for job in jobs]
    assert outputs == [fibonacci(n, n + 1, 10 + n) for n in range(50)]
    assert len(receipts) == farm.operator.answers() - before <= 5
    assert jobs[7].execution().journal == jobs[7].output()


def fibonacci(state, following, rounds):
    for _ in range(rounds):
        state, following = following, state + following
    return state % (1 << 64)


def test_one_bad_input_fails_alone(farm):
    good = words(u64(5), u64(6), u32(7))
    jobs = [farm.submit(BATCH, one, mode="execute") for one in (good, b"bad!", good[:-4])]
    assert jobs[0].result(60).journal == fibonacci(5, 6, 7).to_bytes(8, "little")
    for job in jobs[1:]:
        with pytest.raises(GuestPanicked):
            job.result(60)


def test_the_same_asked_again_is_answered_with_its_own_output(farm):
    stdin = words(u64(1), u64(1), u32(20))
    first = farm.submit(BATCH, stdin, mode="trace")
    first.wait(60)
    before = farm.operator.answers()
    again = farm.submit(BATCH, stdin, mode="trace")
    assert again.id != first.id and again.output() == first.output()
    assert farm.operator.answers() == before


def test_a_batched_guest_is_given_no_receipts(farm):
    with pytest.raises(BadInput, match="takes a list"):
        farm.submit(BATCH, b"", mode="trace", assumptions=["j1"])


def test_the_commands_register_and_list(farm):
    said = farm.operator.types("register", str(BLOBS / "sha256-batch.bin"), "--batch")
    assert said.stdout.strip() == IMAGES["sha256-batch"]
    shown = json.loads(farm.operator.types("guests", "--json").stdout)
    assert {(one["name"], one["batch"]) for one in shown} == {
        ("fibonacci", True),
        ("sha256-batch", True),
    }
