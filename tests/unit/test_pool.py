"""Whose step is next: shares by weight, no credit for idleness, and nobody waits for ever."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from farm.line import TURNS
from farm.pool import ANY, SWEPT, Pool


def fits(key, at):
    return False


def draw(pool, count=1, size=ANY, unfit=fits):
    return pool.draw([size] * count, unfit, lambda key: 1.0)


def serve(pool, tenant_of, cost=1.0):
    """Send the next step; it stays in its slot."""
    (key,) = draw(pool)
    pool.withdraw(key)
    pool.sent(key, tenant_of(key), cost)
    return key


def offer(pool, tenant, number, *, priority=0, rank=0, seq=None, at=0, **how):
    key = (tenant, f"{number}")
    order = (-priority, rank, number if seq is None else seq, at)
    pool.offer(key, order, tenant=tenant, **how)
    return key


def first(key):
    return key[0]


def shares(pool, turns, cost=1.0):
    """Return how many of so many turns each tenant got, on a farm of one slot."""
    found = Counter()
    for _ in range(turns):
        key = serve(pool, first, cost)
        pool.back(key, cost)
        found[key[0]] += 1
    return found


def test_tenants_share_by_weight_whatever_the_number_of_their_steps():
    pool = Pool({"b": 2.0})
    for number in range(900):
        offer(pool, "a", number)
        for tenant in "bc":
            if number < 450:
                offer(pool, tenant, number)
    assert shares(pool, 400) == {"a": 100, "b": 200, "c": 100}


def test_long_steps_take_as_much_time_as_short_ones_in_all():
    pool = Pool()
    for number in range(100):
        offer(pool, "long", number)
        offer(pool, "short", number)
    took = Counter()
    for _ in range(60):
        key = serve(pool, first)
        cost = 10.0 if key[0] == "long" else 1.0
        pool.back(key, cost)
        took[key[0]] += cost
    assert abs(took["long"] - took["short"]) <= 10


def test_what_runs_counts_before_it_is_back():
    pool = Pool()
    for number in range(10):
        offer(pool, "a", number)
        offer(pool, "b", number)
    assert Counter(serve(pool, first)[0] for _ in range(10)) == {"a": 5, "b": 5}


def test_a_tenant_that_comes_late_catches_up_with_what_runs_and_no_more():
    pool = Pool()
    for number in range(300):
        offer(pool, "a", number)
    for _ in range(100):
        pool.back(serve(pool, first), 1.0)
    for _ in range(10):
        serve(pool, first)
    for number in range(300):
        offer(pool, "b", number)
    assert [serve(pool, first)[0] for _ in range(9)] == ["b"] * 9
    assert abs(Counter(serve(pool, first)[0] for _ in range(100))["a"] - 50) <= 1


def test_a_tenant_that_was_idle_has_saved_nothing():
    pool = Pool()
    for number in range(500):
        offer(pool, "a", number)
    pool.back(serve(pool, first), 1.0)
    key = offer(pool, "b", 0)
    while key in pool:
        pool.back(serve(pool, first), 1.0)
    shares(pool, 100)  # b has nothing to send
    for number in range(1, 100):
        offer(pool, "b", number)
    found = shares(pool, 60)
    assert abs(found["a"] - found["b"]) <= 1


def test_an_idle_tenants_share_goes_to_the_others():
    pool = Pool()
    for number in range(50):
        offer(pool, "a", number)
    assert shares(pool, 50) == {"a": 50}


def test_the_most_urgent_go_first_but_for_the_oldest_job_now_and_then():
    pool = Pool()
    old = [offer(pool, "t", number, seq=1, at=number) for number in range(4)]
    for number in range(100, 200):
        offer(pool, "t", number, priority=9)
    sent = [serve(pool, first) for _ in range(4 * TURNS)]
    assert [number for number, key in enumerate(sent) if key in old] == [
        TURNS * turn - 1 for turn in range(1, 5)
    ]


def test_one_draw_takes_turns_as_single_draws_would():
    one, other = Pool(), Pool()
    for pool in (one, other):
        for tenant in "abc":
            for number in range(20):
                offer(pool, tenant, number, priority=number % 3)
    together = draw(one, 30)
    assert together == [serve(other, first) for _ in range(30)]
    assert draw(one, 30) == together, "nothing was taken out"


def test_a_draw_gives_a_slot_only_what_it_holds():
    pool = Pool()
    large = [offer(pool, "t", number, po2=22) for number in range(2)]
    small = [offer(pool, "t", number, po2=18) for number in range(2, 4)]
    assert pool.draw([20, 24, 20, 20], fits, lambda key: 1.0) == [
        small[0],
        large[0],
        small[1],
        None,
    ]
    assert pool.over(20) == large
    assert pool.over(22) == []
    assert draw(pool, 1, unfit=lambda key, at: key == large[0]) == [large[1]]


def test_what_was_withdrawn_or_moved_is_not_at_its_old_place():
    pool = Pool()
    keys = [offer(pool, "t", number, length=10) for number in range(5)]
    pool.withdraw(keys[0])
    offer(pool, "t", 4, priority=1)
    offer(pool, "t", 4, priority=2)
    pool.withdraw(keys[4])
    offer(pool, "t", 4, priority=1, length=10)
    assert draw(pool, 5) == [keys[4], keys[1], keys[2], keys[3], None]
    assert (len(pool), pool.bytes) == (4, 40)


def test_offers_that_come_and_go_leave_nothing():
    pool = Pool()
    offer(pool, "t", 0)
    for number in range(1, 5000):
        offer(pool, "t", 1, priority=-number)
        pool.withdraw(("t", "1"))
    (line,) = pool._lines.values()
    assert sum(map(len, line._urgent.values())) < 200
    pool.withdraw(("t", "0"))
    assert (len(pool), pool.bytes, pool._lines) == (0, 0, {})


def test_a_tenant_that_was_ahead_and_left_is_forgotten_in_time():
    pool = Pool()
    pool.sent(("gone", "0"), "gone", 5.0)
    pool.back(("gone", "0"))
    for number in range(SWEPT):
        assert "gone" in pool._lines
        offer(pool, "here", number)
        pool.back(serve(pool, first, 0.01), 0.01)
    assert set(pool._lines) == {"here"}


WEIGHTS = st.dictionaries(st.sampled_from("abc"), st.sampled_from([0.5, 1.0, 4.0]))


@settings(max_examples=40, deadline=None)
@given(
    data=st.data(),
    weights=WEIGHTS,
    floods=st.lists(st.sampled_from("abc"), min_size=1, max_size=3),
)
def test_every_ready_step_is_sent_within_a_bounded_number_of_others(data, weights, floods):
    """However much of higher priority, or of other tenants, keeps coming."""
    pool = Pool(weights)
    tenant, mine = data.draw(st.sampled_from("abc")), []
    for number in range(data.draw(st.integers(1, 6))):
        mine.append(offer(pool, tenant, number, priority=-number, rank=number % 3))
    # A turn of a tenant comes after those by which the others get as much, each by its weight, and
    # one more; of these turns one in TURNS is for the oldest job.
    own = weights.get(tenant, 1.0)
    between = 1 + sum(weights.get(other, 1.0) / own + 2 for other in "abc")
    running, sent = [], 0
    for number in range(10, 10 + int(TURNS * between * len(mine)) + 2):
        for other in floods:
            for copy in range(3):
                offer(pool, other, 10 * number + copy, priority=99)
        key = serve(pool, first)
        running.append(key)
        while running and (len(running) > 3 or data.draw(st.booleans())):
            pool.back(running.pop(0), 1.0)
        sent += key in mine
        if sent == len(mine):
            return
    raise AssertionError(f"{sent} of {len(mine)} sent")


@settings(max_examples=25, deadline=None)
@given(
    weights=WEIGHTS,
    costs=st.fixed_dictionaries({tenant: st.integers(1, 5) for tenant in "abc"}),
    slots=st.integers(1, 8),
)
def test_tenants_with_enough_to_do_get_their_shares_of_slot_time(weights, costs, slots):
    pool = Pool(weights)
    for tenant in "abc":
        offer(pool, tenant, 0)
        offer(pool, tenant, 1)
    got, running, now = Counter(), [], 0
    for number in range(2, 600):
        while len(running) < slots:
            key = serve(pool, first)
            offer(pool, key[0], f"{number}-{len(running)}", seq=number)
            running.append((now + costs[key[0]], key))
        running.sort()
        now, key = running.pop(0)
        pool.back(key, costs[key[0]])
        got[key[0]] += costs[key[0]]
    by_weight = [got[tenant] / weights.get(tenant, 1.0) for tenant in "abc"]
    assert min(by_weight) > 0.9 * max(by_weight) - 5 * slots
