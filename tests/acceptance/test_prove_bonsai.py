"""Real proofs for users of Bonsai, whose programs know nothing of the farm: `make prove`."""

import time

import pytest
from asking import user
from bonsai_user import COMPOSED, given, runner, started, told
from console import farm_in, free_port
from goldens import BLOBS, GOLDEN, IMAGES

from farm import u32, u64, words

pytestmark = [pytest.mark.redis, pytest.mark.host, pytest.mark.prove]

FIBONACCI = BLOBS / "fibonacci.bin"
SECONDS = 1_200


@pytest.fixture(scope="module")
def somebody(tmp_path_factory, host):
    how = {"api": True, "api_port": free_port(), "segment_po2": 16}
    for operator in farm_in(tmp_path_factory.mktemp("farm"), host=host, **how):
        yield user(operator)


@pytest.fixture
def bonsai(bonsai_program, somebody):
    return runner(bonsai_program, somebody, SECONDS)


def fresh(tmp_path, number):
    """Return the file of an input that was not asked for before."""
    path = tmp_path / f"input-{number}"
    path.write_bytes(words(u64(number), u64(time.time_ns()), u32(10)))
    return path


def fibonacci(input):
    """Return what the guest makes of an input, in hex."""
    a, b = (int.from_bytes(input[at : at + 8], "little") for at in (0, 8))
    return ((34 * a + 55 * b) % (1 << 64)).to_bytes(8, "little").hex()


@pytest.mark.timeout(2 * SECONDS)
def test_the_prover_and_both_clients_at_once(bonsai_program, somebody, tmp_path):
    inputs = [fresh(tmp_path, number) for number in range(3)]
    running = [
        started(bonsai_program, somebody, how, FIBONACCI, input)
        for how, input in zip(("prove", "session", "async"), inputs, strict=True)
    ]
    proved, session, async_ = (told(one, 2 * SECONDS) for one in running)
    journals = [one["journal"] for one in (proved, session, async_)]
    assert journals == [fibonacci(input.read_bytes()) for input in inputs]
    assert proved["succinct"] and proved["prover"] == "bonsai" and session["stats"][0] == 1
    assert any(state.startswith("ProveSegments") for state in session["states"])


def test_a_receipt_that_is_uploaded_is_composed_with(bonsai):
    made = bonsai("prove", *given("compose", "compose"), GOLDEN / "receipt-one.bin")
    assert made["journal"] == COMPOSED and made["image_id"] == IMAGES["compose"]


def test_execution_alone_logs_and_quotas(bonsai, tmp_path):
    input = fresh(tmp_path, 9)
    assert bonsai("execute", FIBONACCI, input)["journal"] == fibonacci(input.read_bytes())
    failed = bonsai("session", *given("panic", "panic"))
    assert failed["status"] == "FAILED" and "the guest says why" in failed["logs"]
    assert bonsai("user")["cycle_usage"] > 0


def test_a_session_is_stopped(bonsai, tmp_path):
    assert bonsai("stop", FIBONACCI, fresh(tmp_path, 10))["status"] == "ABORTED"
