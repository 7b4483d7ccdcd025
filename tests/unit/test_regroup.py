"""Small chunks that share messages: none lost, none late, none too many together."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from farm.outbox import Envelope
from farm.regroup import Limits, Regroup, Waiting

LIMITS = Limits(rows=100, steps=1000, chunks=4, linger=5.0)


def chunk(number, rows=1, steps=1, since=0.0):
    return Waiting(Envelope("trace", "trace", {"n": number}, ""), rows, steps, since, str(number))


def waiting(*chunks):
    made = Regroup(LIMITS)
    for one in chunks:
        made.add(one)
    return made


def test_what_waits_goes_at_once_when_a_worker_is_idle():
    made = waiting(chunk(1), chunk(2))
    assert made.take(0.0, idle=True) == [[chunk(1), chunk(2)]]
    assert len(made) == 0 and made.due() is None


def test_else_it_waits_for_others_until_the_oldest_has_waited_long():
    made = waiting(chunk(1, since=1.0), chunk(2, since=4.0))
    assert made.take(5.9, idle=False) == [] and made.due() == 6.0
    assert made.take(6.0, idle=False) == [[chunk(1, since=1.0), chunk(2, since=4.0)]]


def test_a_full_group_does_not_wait():
    made = waiting(*(chunk(n) for n in range(6)))
    assert made.take(0.0, idle=False) == [[chunk(n) for n in range(4)]]
    assert len(made) == 2


def test_a_group_that_could_not_be_sent_comes_first_again():
    made = waiting(chunk(1), chunk(2))
    (group,) = made.take(0.0, idle=True)
    made.add(chunk(3))
    made.put_back(group)
    assert made.take(0.0, idle=True) == [[chunk(1), chunk(2), chunk(3)]]


chunks = st.lists(st.tuples(st.integers(1, 150), st.integers(1, 1500), st.floats(0, 20)))


@given(chunks, st.floats(0, 30), st.booleans())
def test_every_chunk_is_sent_once_in_order_and_within_the_limits(given_chunks, now, idle):
    ordered = sorted(given_chunks, key=lambda one: one[2])
    known = [chunk(n, *one) for n, one in enumerate(ordered) if one[2] <= now]
    made = waiting(*known)
    groups = made.take(now, idle=idle)
    kept = made.take(1e9, idle=False)
    assert [one for group in groups + kept for one in group] == known
    for group in groups + kept:
        assert len(group) == 1 or (
            len(group) <= LIMITS.chunks
            and sum(one.rows for one in group) <= LIMITS.rows
            and sum(one.steps for one in group) <= LIMITS.steps
        )
    late = [one for group in kept for one in group if now >= one.since + LIMITS.linger]
    assert not late and not (idle and kept) and len(kept) <= 1


@given(chunks)
def test_a_message_is_closed_only_by_a_chunk_that_does_not_fit(given_chunks):
    groups = waiting(*(chunk(n, *one) for n, one in enumerate(given_chunks))).take(1e9, idle=True)
    for group, after in pairwise(groups):
        together = [*group, after[0]]
        assert (
            len(together) > LIMITS.chunks
            or sum(one.rows for one in together) > LIMITS.rows
            or sum(one.steps for one in together) > LIMITS.steps
        )
