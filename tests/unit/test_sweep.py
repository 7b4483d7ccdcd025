"""One sweep over a ledger and a folder made up: what is named or young stays, the rest goes."""

from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.remains import OWN, Entry
from farm.retention import Keep
from farm.store import File
from farm.sweep import Limits, Stopped, Sweep

NOW = 1_800_000_000.0
GUARD = 100.0
KEEP = Keep(jobs=3000, receipts=2000, nodes=1000)
OPEN, ENDED = ["ACCEPTED", "RUNNING"], ["SUCCEEDED", "FAILED", "ABORTED"]


def ref(number):
    return f"{sha256(bytes([number])).hexdigest()}-{10 + number}"


refs = st.integers(0, 11).map(ref)
ages = st.integers(0, 4000).map(float)


class World:
    """Records and files in dictionaries, read and changed as the real ones are."""

    def __init__(self, hashes, files):
        self.hashes, self.ages = hashes, files
        self.gone, self.awaited = set(), set()

    def now(self):
        return NOW

    def entries(self):
        for key in list(self.hashes):
            kind, _, name = key.partition(":")
            home = key if kind in OWN else f"session:{name}"
            yield Entry(key, kind, name, dict(self.hashes.get(home, {})), -1)

    def relied(self):
        return self.awaited

    def values(self, entry):
        yield list(self.hashes.get(entry.key, {}).values())

    def drop_job(self, id, idempotency, used):
        return self.hashes.pop(f"job:{id}") is not None

    def release_job(self, id, fields, used):
        for field in fields:
            del self.hashes[f"job:{id}"][field]

    def drop_answer(self, name, receipt, used):
        return self.hashes.pop(f"key:{name}") is not None

    def drop_session(self, name):
        for kind in ("session", "nodes"):
            self.hashes.pop(f"{kind}:{name}", None)

    def files(self):
        return [File(Path(), name, name) for name in self.ages if name not in self.gone]

    def old(self, file, before):
        return NOW - self.ages[file.ref] < before

    def remove(self, file, before):
        if self.old(file, before):
            self.gone.add(file.ref)
        return file.ref in self.gone


@st.composite
def worlds(draw):
    hashes = {}
    for number in range(draw(st.integers(0, 4))):
        state = draw(st.sampled_from(OPEN + ENDED))
        job = {"state": state, "spec": f'{{"program":"{draw(refs)}"}}'}
        if state in ENDED:
            job |= {"finished": str(NOW - draw(ages)), "receipt": draw(refs)}
        hashes[f"job:j{number}"] = job
    for number in range(draw(st.integers(0, 3))):
        running = draw(st.booleans())
        closed = {} if running else {"closed": str(NOW - draw(ages))}
        state = "RUNNING" if running else "FAILED"
        hashes[f"nodes:s{number}"] = {"prove:0-1": draw(refs), "join:0-2": draw(refs)}
        hashes[f"session:s{number}"] = {"state": state, "exec": draw(refs)} | closed
    for number in range(draw(st.integers(0, 3))):
        hashes[f"key:{number}"] = {"receipt": draw(refs), "used": str(NOW - draw(ages))}
    if draw(st.booleans()):
        hashes["about:"] = {"anything": draw(refs)}
    return World(hashes, draw(st.dictionaries(refs, ages)))


def named_by(hashes, *, ended_within):
    """Return what the records name that have not ended, or only a while ago."""
    found = set()
    for key, fields in hashes.items():
        kind, _, name = key.partition(":")
        found |= NAMED[kind](fields, hashes.get(f"session:{name}"), ended_within)
    return found


def young(fields, when, limit, ended_within):
    return when not in fields or NOW - float(fields[when]) <= min(limit, ended_within)


def by_job(fields, _, within):
    asked = (
        {fields["spec"].split('"')[3]} if young(fields, "finished", KEEP.jobs, within) else set()
    )
    given = {fields.get("receipt")} if young(fields, "finished", KEEP.receipts, within) else set()
    return asked | given


def by_answer(fields, _, within):
    return {fields["receipt"]} if young(fields, "used", KEEP.receipts, within) else set()


def by_session(fields, session, within):
    values = {value for value in fields.values() if "-" in value}
    return values if young(session, "closed", KEEP.nodes, within) else set()


NAMED = {"job": by_job, "key": by_answer, "session": by_session, "nodes": by_session}
NAMED["about"] = lambda fields, _, within: set(fields.values())


def copied(hashes):
    return {key: dict(fields) for key, fields in hashes.items()}


@given(worlds())
def test_just_what_is_old_and_named_nowhere_goes(world):
    before = copied(world.hashes)
    swept = Sweep(world, world, Limits(KEEP, GUARD)).run()
    named = named_by(before, ended_within=float("inf"))
    old = {name for name, age in world.ages.items() if age > GUARD}
    assert world.gone == old - named
    assert swept.blobs == len(world.gone)
    assert swept.left_blobs == len(world.ages) - len(world.gone)


@given(worlds(), st.integers(1, 200))
def test_under_pressure_too_nothing_goes_that_is_needed_or_young(world, limit):
    before = copied(world.hashes)
    Sweep(world, world, Limits(KEEP._replace(bytes=limit), GUARD)).run()
    assert not world.gone & named_by(before, ended_within=GUARD)
    assert all(world.ages[name] > GUARD for name in world.gone)


@given(worlds())
def test_what_is_forgotten_is_past_its_time_and_the_rest_is_not_changed(world):
    before = copied(world.hashes)
    Sweep(world, world, Limits(KEEP, GUARD)).run()
    ages = {
        key: NOW
        - float(fields.get("finished") or fields.get("used") or fields.get("closed") or NOW)
        for key, fields in before.items()
    }
    limits = {"job": KEEP.jobs, "key": KEEP.receipts, "session": KEEP.nodes}
    for key in before.keys() - world.hashes.keys():
        kind = key.partition(":")[0]
        assert kind == "nodes" or ages[key] > limits[kind]
    for key, fields in world.hashes.items():
        if fields != before[key]:
            assert key.startswith("job:") and ages[key] > KEEP.receipts
            assert fields == {n: v for n, v in before[key].items() if n != "receipt"}


@given(worlds(), st.sampled_from([0, 50]))
def test_a_dry_sweep_counts_the_same_and_changes_nothing(world, limit):
    before, limits = copied(world.hashes), Limits(KEEP._replace(bytes=limit), GUARD)
    dry = Sweep(world, world, limits, dry=True).run()
    assert (world.hashes, world.gone) == (before, set())
    done = Sweep(world, world, limits).run()
    for name in ("jobs", "sessions", "answers", "blobs", "bytes"):
        assert getattr(dry, name) == getattr(done, name), name


def test_a_sweep_that_is_told_to_stop_deletes_nothing_more():
    world = World({}, {ref(number): 3000.0 for number in range(5)})
    asked = iter([False, False, True])
    with pytest.raises(Stopped):
        Sweep(world, world, Limits(KEEP, GUARD), stopping=lambda: next(asked)).run()
    assert len(world.gone) == 2


def test_what_a_job_that_is_still_to_run_relies_on_is_kept():
    old = {"state": "SUCCEEDED", "finished": str(NOW - 4000), "receipt": ref(1)}
    hashes = {f"job:{name}": old | {"spec": "{}"} for name in ("j1", "j2")}
    world = World(hashes, {ref(1): 4000.0})
    world.awaited = {"j1"}
    Sweep(world, world, Limits(Keep(10, 10, 10, 0), 5)).run()
    assert list(world.hashes) == ["job:j1"] and world.gone == set()
