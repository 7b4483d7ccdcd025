"""What the ledger keeps of tenants: keys, uploads, quotas, what they use, and their own lists."""

import time

import msgspec
import pytest
from hands import ended, spec
from sweeping import DAY, make_old

from farm import keys, mine, polls, usage
from farm.admission import Terms, admit
from farm.apikey import ApiKey
from farm.errors import BadInput, Busy, OverQuota, UnknownJob, UnknownUpload
from farm.job import Admission, State
from farm.keyring import Keyring
from farm.quota import Quota
from farm.uploads import Upload, Uploads

pytestmark = pytest.mark.redis


def upload(id, ref="", size=10, kind="input", created=0.0):
    return Upload(id=id, kind=kind, ref=ref, size=size, created=created or time.time())


def used(ledger, namespace="default"):
    return usage.read(ledger, namespace, time.time())


def test_a_key_is_found_by_its_secret_until_it_is_revoked(ledger):
    ring = Keyring(ledger)
    key, secret = ring.add("ci", "alice", ["read"])
    other, second = ring.add("me", "bob", ["submit", "read"])
    assert ring.find([secret, "farm_nobody", second]) == [key, None, other]
    assert [one.id for one in ring.all()] == [key.id, other.id]
    assert ring.revoke(key.id) and ring.revoke(key.id) and not ring.revoke("k00")
    assert ring.find([secret, second]) == [None, other]
    assert ring.all()[0].revoked > 0
    # Who can read the ledger can use none of them.
    kept = ledger.client.hgetall(keys.API_KEYS)
    assert not any(secret in text or second in text for text in [*kept, *kept.values()])
    assert msgspec.json.decode(next(iter(kept.values())), type=ApiKey)


def test_uploads_are_each_tenant_s_own_and_counted(ledger):
    alice, bob = Uploads(ledger, "alice"), Uploads(ledger, "bob")
    one = upload("u1", size=60)
    assert alice.add(one, 100) and not alice.add(one, 100)
    assert alice.get("input", "u1") == one and bob.find("input", "u1") is None
    assert alice.find("receipt", "u1") is None
    with pytest.raises(OverQuota):
        alice.add(upload("u2", size=41), 100)
    assert bob.add(upload("u1", size=41), 100)
    assert (used(ledger, "alice").bytes, used(ledger, "bob").bytes) == (60, 41)
    alice.drop("input", "u1")
    with pytest.raises(UnknownUpload):
        alice.drop("input", "u1")
    assert used(ledger, "alice").bytes == 0 and bob.all()[0].id == "u1"


def test_many_jobs_are_admitted_in_one_go_and_each_by_itself(ledger, blobs):
    twice = spec(blobs, idempotency_key="k")
    asked = [
        spec(blobs),
        spec(blobs),  # equal to the one before, in the same breath
        twice,
        twice,
    ]
    found = admit(ledger, [(one, Terms()) for one in asked])
    assert [type(one) for one in found] == [Admission] * 4
    assert found[1].attached and found[0].job != found[1].job and found[2].job == found[3].job
    assert all(ledger.status(one.job).state is State.ACCEPTED for one in found)
    clash = spec(blobs, idempotency_key="k", image_id="22" * 32)
    assert isinstance(admit(ledger, [(clash, Terms())])[0], BadInput)
    full = admit(ledger, [(spec(blobs), Terms(cap=3))])
    assert isinstance(full[0], Busy)


def test_a_tenant_has_no_more_open_than_its_quota(ledger, blobs):
    terms = Terms(quota=Quota(jobs=2))
    asked = [(spec(blobs, image_id=f"{at:02}" * 32), terms) for at in range(4)]
    found = admit(ledger, asked)
    assert [isinstance(one, OverQuota) for one in found] == [False, False, True, True]
    assert used(ledger).jobs == 2
    other = spec(blobs, namespace="other")
    assert isinstance(admit(ledger, [(other, terms)])[0], Admission)
    assert ledger.cancel(found[0].job) and not ledger.cancel(found[0].job)
    assert used(ledger).jobs == 1
    assert isinstance(admit(ledger, [asked[2]])[0], Admission)
    # Who is bound by none does not count.
    ledger.submit(spec(blobs, image_id="99" * 32))
    assert used(ledger).jobs == 2


def test_what_is_executed_is_spent_once_and_ends_what_counts_as_open(
    ledger, blobs, hands, start, settings
):
    start()
    terms = Terms(quota=Quota(jobs=5, cycles=1))
    first = ledger.submit(spec(blobs), quota=terms.quota)
    view = ended(ledger, first.job)
    cycles = view.stats["cycles"]["total"]
    assert cycles > 0 and used(ledger)[:2] == (0, cycles)
    spent = admit(ledger, [(spec(blobs, image_id="33" * 32), terms)])[0]
    assert isinstance(spent, OverQuota) and 0 < spent.facts[-1] <= DAY + 1
    # What is answered from the store costs nothing.
    assert admit(ledger, [(spec(blobs), terms)])[0].answered
    ledger.client.hset(keys.TENANTS, "spent:default", f"1 {cycles}")
    assert used(ledger).cycles == 0
    assert isinstance(admit(ledger, [(spec(blobs, image_id="33" * 32), terms)])[0], Admission)


def test_jobs_are_seen_by_their_tenant_alone(ledger, blobs):
    mine_, others = spec(blobs), spec(blobs, namespace="other")
    admit(ledger, [(mine_, Terms()), (others, Terms())])
    names = [("default", mine_.id), ("default", others.id), ("default", "j0"), ("other", others.id)]
    seen = polls.look(ledger, names)
    assert [type(one) for one in seen] == [polls.Seen, UnknownJob, UnknownJob, polls.Seen]
    assert seen[0].last.state is State.ACCEPTED
    page = mine.jobs(ledger, "default", mine.Wanted(), "", 10)
    assert [view.id for view in page.jobs] == [mine_.id] and page.next == ""
    with pytest.raises(BadInput):
        mine.jobs(ledger, "default", mine.Wanted(), others.id, 10)


def test_a_search_that_finds_little_goes_on_from_where_it_stopped(ledger, blobs, monkeypatch):
    monkeypatch.setattr(mine, "TOGETHER", 2)
    monkeypatch.setattr(mine, "MOST", 4)
    jobs = [spec(blobs, labels={"at": str(at)}) for at in range(7)]
    admit(ledger, [(one, Terms()) for one in jobs])
    wanted = mine.Wanted(labels={"at": "1"})
    first = mine.jobs(ledger, "default", wanted, "", 10)
    assert first.jobs == [] and first.next == jobs[3].id
    second = mine.jobs(ledger, "default", wanted, first.next, 10)
    assert [view.id for view in second.jobs] == [jobs[1].id] and second.next == ""


def test_old_uploads_go_with_a_sweep_and_what_a_job_needs_of_them_stays(
    ledger, blobs, store, sweep
):
    old, young, needed = (blobs.put(body) for body in (b"old", b"young", b"needed"))
    own = Uploads(ledger, "default")
    ago = time.time() - 31 * DAY
    own.add(upload("u1", old, created=ago))
    own.add(upload("u2", young))
    own.add(upload("u3", needed, created=ago))
    ledger.submit(spec(blobs, input=needed))
    make_old(store)
    sweep()
    assert [one.id for one in own.all()] == ["u2"] and used(ledger).bytes == 10
    assert [blobs.has(ref) for ref in (old, young, needed)] == [False, True, True]
