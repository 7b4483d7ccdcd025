"""Many receipts become one, by real receipts and the real verifier; proofs come from replay."""

import json
import subprocess

import pytest
from console import farm_in
from goldens import BLOBS, GOLDEN, IMAGES, PO2, SESSIONS, receipt, stdin

from farm import AsyncFarm, Farm, Receipt, errors
from farm.job import State

SET_PO2 = SESSIONS["set"]["po2"]
FIBONACCI = BLOBS / "fibonacci.bin"


@pytest.fixture(scope="module")
def farm(replay_farm):
    with Farm(settings=replay_farm.settings) as farm:
        yield farm


def flipped(raw):
    return raw[:5000] + bytes([raw[5000] ^ 1]) + raw[5001:]


def golden(name):
    image = IMAGES[SESSIONS[name]["program"]]
    journal = (GOLDEN / SESSIONS[name]["journal"]).read_bytes()
    return Receipt(receipt(name), journal, image, "")


def test_two_receipts_become_one(farm, crate, tmp_path):
    changes = []
    job = farm.aggregate([golden("one"), receipt("compose")], po2=SET_PO2)
    root = job.wait(60, changes.append)
    assert root.bytes == receipt("set") and root.image_id == IMAGES["set-builder"]
    assert [one.error for one in job.members()] == [None, None]
    for name, one in zip(("one", "compose"), job.members(), strict=True):
        assert one.inclusion.journal == golden(name).journal
        assert one.inclusion.image_id == golden(name).image_id
        assert one.inclusion.root_journal == root.journal
        (tmp_path / name).write_bytes(one.inclusion.encode(root.bytes))
        command = [crate, "verify", IMAGES["set-builder"], tmp_path / name]
        said = subprocess.run(command, capture_output=True, text=True, check=True)
        assert said.stdout.strip() == SESSIONS[name]["done"]["digest"]
    last = [change for change in changes if change.members][-1]
    assert (last.members, last.members_ready, last.folds_due) == (2, 2, 2)


def test_jobs_that_are_still_proved_are_waited_for(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        first = farm.submit(FIBONACCI, stdin("one"), po2=PO2)
        job = farm.aggregate([first.id, receipt("compose")], po2=SET_PO2)
        assert job.wait(60).bytes == receipt("set")
        assert first.status().state is State.SUCCEEDED
        assert job.members()[0].name == first.id


def test_who_cannot_be_in_it_is_named_and_the_others_are_one_receipt(slow_farm):
    with Farm(settings=slow_farm.settings) as farm:
        leave_out(farm)


def leave_out(farm):
    one, two = golden("one"), golden("two")
    wrong = Receipt(two.bytes, two.journal, IMAGES["compose"], "")
    fake = (GOLDEN / "receipt-fake.bin").read_bytes()
    conditional = conditional_receipt()
    trace = farm.submit(FIBONACCI, stdin("one"), mode="trace", po2=PO2).wait(60)
    cancelled = farm.submit(FIBONACCI, stdin("two"), po2=PO2)
    with Farm(settings=farm.settings.model_copy(update={"namespace": "theirs"})) as theirs:
        other = theirs.submit(FIBONACCI, stdin("one"), po2=PO2)
    given = [one, flipped(two.bytes), wrong, fake, conditional, trace, cancelled, other.id]
    job = farm.aggregate([*given, b"PFS1 played", "nobody", golden("compose")], po2=SET_PO2)
    cancelled.cancel()
    assert job.wait(60).bytes == receipt("set")
    found = [type(one.error) for one in job.members()]
    assert found == [
        type(None),
        errors.BadReceipt,
        errors.WrongClaim,
        errors.WrongKind,
        errors.BadReceipt,
        errors.WrongKind,
        errors.JobFailed,
        errors.UnknownJob,
        errors.WrongKind,
        errors.UnknownJob,
        type(None),
    ]
    assert IMAGES["compose"] in str(job.members()[2].error)
    assert "fake" in str(job.members()[3].error)


def conditional_receipt():
    """Return a receipt of a guest that still relies on another: its lift, with its journal."""
    session = SESSIONS["compose"]
    body = (GOLDEN / session["lifts"][0]).read_bytes()
    journal = (GOLDEN / session["journal"]).read_bytes()
    # `Receipt`: which kind of inner receipt it is, that, the journal, the verifier's parameters.
    parts = [(1).to_bytes(4, "little"), body, len(journal).to_bytes(8, "little"), journal]
    return b"".join([*parts, receipt("compose")[-32:]])


def test_duplicates_are_in_it_once(farm):
    job = farm.aggregate([golden("one"), receipt("compose"), receipt("one")], po2=SET_PO2)
    assert job.wait(60).bytes == receipt("set")
    first, _, third = job.members()
    assert first.inclusion == third.inclusion


def test_without_members_there_is_nothing_to_make(farm):
    with pytest.raises(errors.BadInput):
        farm.aggregate([])
    job = farm.aggregate([flipped(receipt("two"))])
    with pytest.raises(errors.NoMembers, match="does not verify"):
        job.wait(60)


@pytest.fixture
def real_farm(tmp_path, host):
    yield from farm_in(tmp_path, host=host)


def test_a_set_in_development_is_executed_and_no_more(real_farm):
    with Farm(settings=real_farm.settings) as farm:
        traces = [farm.submit(FIBONACCI, stdin(name), mode="trace") for name in ("one", "two")]
        job = farm.aggregate([*traces, receipt("one")], mode="trace")
        root = job.wait(60)
        first, second, proof = job.members()
        assert root.kind == "trace" and isinstance(proof.error, errors.WrongKind)
        assert first.inclusion.root_journal == second.inclusion.root_journal == root.journal


def test_the_command_names_who_is_left_out(replay_farm, tmp_path):
    bad = tmp_path / "bad.bin"
    bad.write_bytes(flipped(receipt("two")))
    files = [GOLDEN / SESSIONS["one"]["receipt"], bad, GOLDEN / SESSIONS["compose"]["receipt"]]
    more = ["--po2", SET_PO2, "-o", tmp_path / "root", "--proofs", tmp_path / "proofs", "--json"]
    done = replay_farm.types("aggregate", *map(str, [*files, *more]))
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (tmp_path / "root").read_bytes() == receipt("set")
    assert [one["code"] for one in said["members"]] == ["", "BadReceipt", ""]
    one, other = sorted((tmp_path / "proofs").iterdir())
    asked = ["verify", str(other), "--image-id", IMAGES["fibonacci"], "--json"]
    assert "--root" in replay_farm.types(*asked).stderr
    shown = json.loads(replay_farm.types(*asked, "--root", str(tmp_path / "root")).stdout)
    assert shown["kind"] == "inclusion" and shown["journal"] == golden("one").journal.hex()
    refused = replay_farm.types("verify", str(one), *asked[2:], "--root", str(tmp_path / "root"))
    assert refused.returncode == 1 and IMAGES["compose"] in refused.stderr


def test_a_set_can_be_awaited(replay_farm):
    async def main():
        async with AsyncFarm(settings=replay_farm.settings) as farm:
            job = await farm.aggregate([golden("one"), receipt("compose")], po2=SET_PO2)
            await job.wait(60)
            return await job.members()

    import asyncio

    assert len(asyncio.run(main())) == 2


def test_the_proofs_of_a_trace_batch_get_a_root(farm):
    batch = farm.submit_many("fib.v0", rounds=[3, 5, 1 << 30, 8])
    found = farm.aggregate(batch)
    assert (found.kind, len(found), found.left_out) == ("trace", 3, [2])
    done = batch.wait()
    assert all(found.holds(row, done.commitments[row].tobytes()) for row in (0, 1, 3))


@pytest.fixture
def closing_farm(tmp_path, host):
    """A farm that closes open sets of two, by replay."""
    given = {"host": host, "replay": str(GOLDEN), "segment_po2": SET_PO2}
    yield from farm_in(tmp_path, aggregate={"size": 2}, **given)


def test_jobs_that_join_a_set_are_one_receipt_once_it_is_full(closing_farm, tmp_path):
    with Farm(settings=closing_farm.settings) as farm:
        joins = {"po2": PO2, "aggregate": "rollup"}
        cancelled = farm.submit(FIBONACCI, stdin("two"), **joins)
        cancelled.cancel()
        first = farm.submit(FIBONACCI, stdin("one"), **joins)
        found = {"assumptions": [first]}
        first.wait(60)
        second = farm.submit(BLOBS / "compose.bin", stdin("compose"), **joins, **found)
        proof, root = second.inclusion(60)
        assert root.bytes == receipt("set") and proof.root_journal == root.journal
        assert first.inclusion(60)[0].root_journal == root.journal
        done = closing_farm.types("inclusion", first.id, "-o", str(tmp_path / "one"), "--json")
        assert json.loads(done.stdout)["root"] == root.journal.hex()
        assert (tmp_path / "one").read_bytes() == first.inclusion(60)[0].encode()
        alone = farm.submit(FIBONACCI, stdin("seven"), **joins)
        with pytest.raises(errors.WaitTimeout):
            alone.inclusion(3)
