"""A farm by its URL: what a client does where the ledger is, it does from afar, with a key."""

import asyncio

import pytest
from asking import user
from goldens import BLOBS, IMAGES, receipt, stdin

from farm import AsyncFarm, Farm, errors
from farm import settings as config
from farm.job import State

pytestmark = [pytest.mark.redis, pytest.mark.host]

FIBONACCI, COMPOSE = BLOBS / "fibonacci.bin", BLOBS / "compose.bin"


@pytest.fixture(scope="module")
def remote(api_farm):
    """The settings of somebody far away, who has a URL and a key and no farm of his own."""
    somebody = user(api_farm, namespace="afar")
    return config.load(
        state=api_farm.state / "nothing-here",
        ledger_url=somebody.url,
        api_key=somebody.secret,
        host=api_farm.settings.host,
    )


@pytest.fixture
def farm(remote):
    with Farm(settings=remote) as farm:
        yield farm


def test_a_job_is_proved_and_its_receipt_verified_here(farm):
    job = farm.submit(FIBONACCI, stdin("two"), labels={"team": "a"})
    changes = []
    proved = job.wait(60, changes.append)
    assert proved.bytes == receipt("two") and proved.image_id == IMAGES["fibonacci"]
    assert changes[-1].state is State.SUCCEEDED
    view = job.status()
    assert view.spec.labels == {"team": "a"} and view.spec.namespace == "afar"
    assert view.spec.seed == ""
    assert job.execution().cycles["user"] == 27873 and job.logs() == (b"", b"")
    assert job.id in [one.id for one in farm.jobs()]
    assert farm.guests()[0].image_id == IMAGES["fibonacci"]


def test_jobs_and_receipts_are_relied_on(farm):
    one = farm.submit(FIBONACCI, stdin("one"))
    by_job = farm.submit(COMPOSE, stdin("compose"), assumptions=[one])
    by_receipt = farm.submit(COMPOSE, stdin("compose"), assumptions=[receipt("one")])
    assert by_job.wait(60).image_id == by_receipt.wait(60).image_id == IMAGES["compose"]


def test_a_failure_comes_back_as_its_class(farm):
    with pytest.raises(errors.GuestPanicked, match="the guest says why"):
        farm.submit(BLOBS / "panic.bin", stdin("panic")).wait(60)
    with pytest.raises(errors.UnknownJob):
        farm.job("j00").status()
    with pytest.raises(errors.ImageMismatch):
        farm.submit(FIBONACCI, b"", image_id="ab" * 32)
    with pytest.raises(errors.BadInput):
        farm.submit(FIBONACCI, b"", po2=15)
    with pytest.raises(errors.BadProgram):
        farm.submit(b"nothing of the kind", b"")


def test_what_is_only_executed_and_what_is_cancelled(farm):
    done = farm.submit(FIBONACCI, stdin("seven"), mode="execute").result(60)
    assert done.journal == (843).to_bytes(8, "little")
    job = farm.submit(FIBONACCI, stdin("lucas"))
    assert job.cancel() in (True, False) and not job.cancel()


def test_a_submission_that_is_repeated_is_one_job(farm):
    first = farm.submit(FIBONACCI, stdin("one"), idempotency_key="mine")
    assert farm.submit(FIBONACCI, stdin("one"), idempotency_key="mine").id == first.id


def test_a_large_input_is_uploaded_by_itself(farm):
    large = stdin("one") + bytes(100_000)
    with pytest.raises(errors.HostFailed, match="no golden"):  # as far as the executor it goes
        farm.submit(FIBONACCI, large).wait(60)


def test_receipts_become_a_set(farm):
    members = [farm.submit(FIBONACCI, stdin("one")), receipt("compose")]
    job = farm.aggregate(members, po2=18)
    assert job.wait(60).image_id == IMAGES["set-builder"]
    told = job.members()
    assert [one.error for one in told] == [None, None] and told[0].inclusion


def test_traces_in_a_batch(farm):
    batch = farm.submit_many("fib.v0", rounds=[10, 0, 30])
    done = batch.wait(60)
    assert done.outputs.tolist()[::2] == [55, 832040] and done.codes[1]
    assert batch.verify() == 2 and len(list(batch)) == 3
    assert farm.aggregate(batch).root


def test_what_needs_the_ledger_says_so(farm):
    with pytest.raises(errors.BadInput, match="submit_many"):
        farm.submit_trace("fib.v0", 10)


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"api_key": ""}, errors.BadSetting),
        ({"api_key": "farm_wrong"}, errors.NoKey),
        ({"ledger_url": "http://127.0.0.1:9"}, errors.LedgerDown),
    ],
)
def test_without_a_key_and_with_nobody_there(remote, changed, error):
    with Farm(settings=remote.model_copy(update=changed)) as farm, pytest.raises(error):
        farm.jobs()


async def _async(remote):
    async with AsyncFarm(settings=remote) as farm:
        job = await farm.submit(FIBONACCI, stdin("one"))
        return await job.wait(60)


def test_the_same_awaitable(remote):
    assert asyncio.run(_async(remote)).bytes == receipt("one")


def test_the_command_line_goes_by_url_too(api_farm, remote, tmp_path):
    env = {"FARM_LEDGER_URL": remote.ledger_url, "FARM_API_KEY": remote.api_key}
    env |= {"FARM_STATE": str(tmp_path)}
    asked = api_farm.types("prove", str(FIBONACCI), "--words", "u64:0 u64:1 u32:10", **env)
    assert asked.returncode == 0 and "receipt verified" in asked.stdout
