"""What is kept: nothing that is needed or young ever goes, and under pressure the oldest first."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm.retention import FOREVER, Holds, Keep, Policy, end, named, pressure

NOW = 1_800_000_000.0
REF = "ab" * 32 + "-10"
DAY = 86400.0

times = st.floats(0, 100 * DAY).map(lambda ago: NOW - ago)
keeps = st.builds(
    Keep,
    jobs=st.floats(0, 60 * DAY),
    receipts=st.floats(0, 60 * DAY),
    nodes=st.floats(0, 60 * DAY),
    bytes=st.integers(0, 10_000),
)
squeezes = st.one_of(st.just(-math.inf), times, times.map(lambda time: time + 1e11))
policies = st.builds(Policy, keeps, st.just(NOW), times, st.one_of(st.just(-math.inf), squeezes))
kinds = st.sampled_from(["input", "receipt", "node"])


@given(policies, kinds)
def test_what_has_not_ended_is_held_whatever_the_pressure(policy, kind):
    assert getattr(policy, kind)(None) == FOREVER


@given(policies, kinds, times, times)
def test_what_ended_later_is_never_let_go_before(policy, kind, one, other):
    first, last = sorted((one, other))
    earlier, later = (getattr(policy, kind)(time) for time in (first, last))
    assert earlier is None or (later is not None and earlier <= later)


@given(policies, kinds, times)
def test_what_ended_a_moment_ago_is_let_go_by_age_alone(policy, kind, ended):
    calm = policy._replace(pressure=-math.inf)
    if ended >= policy.old:
        assert getattr(policy, kind)(ended) == getattr(calm, kind)(ended)


@given(keeps, kinds, times)
def test_the_age_is_the_one_that_was_set(keep, kind, ended):
    policy = Policy(keep, NOW, NOW)
    limit = {"input": keep.jobs, "receipt": keep.receipts, "node": keep.nodes}[kind]
    assert (getattr(policy, kind)(ended) is None) == (NOW - ended > limit)


@given(st.dictionaries(st.one_of(times, times.map(lambda t: t + 1e11)), st.integers(1, 3000)))
def test_under_pressure_just_enough_of_the_oldest_goes(weights):
    policy = Policy(Keep(math.inf, math.inf, math.inf, 5000), NOW, NOW - 7 * DAY)
    limit = pressure(weights | {FOREVER: 10**9}, policy)

    def left(below):
        squeezed = policy._replace(pressure=below)
        held = [
            (hold, squeezed.node(hold) if hold < 1e11 else squeezed.receipt(hold - 1e11))
            for hold in weights
        ]
        return sum(weights[hold] for hold, kept in held if kept is not None)

    movable = [hold for hold in weights if hold % 1e11 < policy.old]
    least = sum(weights.values()) - sum(weights[hold] for hold in movable)
    assert left(limit) <= max(5000, least)
    if limit > -math.inf:
        # One less would not have been enough.
        last = max(hold for hold in movable if hold < limit)
        assert left(last) > 5000


def test_nodes_go_before_receipts_however_old_those_are():
    policy = Policy(Keep(math.inf, math.inf, math.inf, 10), NOW, NOW)
    node, receipt = policy.node(NOW - 1), policy.receipt(NOW - 99 * DAY)
    squeezed = policy._replace(pressure=pressure({node: 10, receipt: 10}, policy))
    assert squeezed.node(NOW - 1) is None
    assert squeezed.receipt(NOW - 99 * DAY) is not None


def test_no_limit_is_no_pressure():
    policy = Policy(Keep(1, 1, 1), NOW, NOW)
    assert pressure({NOW - 9: 10**12}, policy) == -math.inf


@pytest.mark.parametrize(
    ("state", "when", "ended"),
    [
        ("RUNNING", "5", None),
        ("ACCEPTED", None, None),
        (None, None, None),
        ("SUCCEEDED", "5.5", 5.5),
        ("FAILED", None, None),
        ("TIMED_OUT", "never", None),
    ],
)
def test_what_cannot_be_read_has_not_ended(state, when, ended):
    assert end(state, when) == ended


def test_whatever_looks_like_a_reference_is_one():
    other = "cd" * 32 + "-0"
    texts = ["", "text", json.dumps({"a": [REF], "b": {"c": other}}), f"see {REF}."]
    assert named(texts) == [REF, other, REF]
    assert named(["0" + REF, "ab" * 32, "ab" * 32 + "-", REF + "0" * 20]) == []


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(times, st.just(FOREVER)))))
def test_the_strongest_hold_counts(found):
    holds = Holds()
    for name, hold in found:
        holds.add([name * 64 + "-1"], hold)
    for name in "abc":
        mine = [hold for other, hold in found if other == name]
        assert holds.of(name * 64 + "-1") == (max(mine) if mine else None)
