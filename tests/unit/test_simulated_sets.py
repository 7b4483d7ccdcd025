"""A simulated farm makes sets of simulated receipts as a real one makes them of real ones."""

import pytest
from simulating import PROFILE, PROGRAM, Ran, ask, joined, run, whole

from farm import mountain, set_builder, simulated_verbs
from farm.claim import RECURSION_ROOT, ZERO
from farm.errors import AssumptionMissing, BadInput, HostFailed
from farm.session import Span
from farm.set_builder import Member
from farm.shapes import MEMBERS
from farm.simulated_execution import execute

BUILDER = b"the set builder"
OWN = simulated_verbs.image_id(BUILDER)


def receipts(count):
    return [whole(run(segments=1, label=f"job-{number}")) for number in range(count)]


def member(receipt):
    done = ask("verify", receipt, form="receipt")
    return Member.of(simulated_verbs.image_id(PROGRAM), done.parts[0])


def build(members, po2=20, root=RECURSION_ROOT):
    assumed = [{"claim": set_builder.united(members), "control_root": root}]
    args = {"po2": po2, "assumed": assumed}
    parts = [BUILDER, set_builder.stdin(OWN, members)]
    *segments, end = execute(PROFILE, args, parts, "e", OWN)
    return Ran(segments, [], end.facts, end.parts)


def united(given):
    def of(span):
        if span.end - span.start == 1:
            return given[span.start]
        return ask("union", *map(of, MEMBERS.halves(span))).parts[0]

    return of(Span(0, len(given)))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 10, 30])
def test_receipts_become_one_that_verifies(count):
    given = receipts(count)
    members = [member(one) for one in given]
    ran = build(members)
    (step,) = ran.done["assumptions"]
    assert not step["proven"]
    root = ask("resolve", joined(ran), united(given), claim=step["digest"]).parts[0]
    made = ask("finalize", root, ran.parts[0], image_id=OWN).parts[0]
    assert ask("verify", made, image_id=OWN).parts[0] == set_builder.journal(
        OWN, mountain.root([one.claim for one in members])
    )


def test_the_order_of_members_is_in_the_claim():
    given = receipts(3)
    ran = build([member(one) for one in given])
    with pytest.raises(HostFailed):
        ask("resolve", joined(ran), united([given[2], given[0], given[1]]))


def test_what_nobody_sees_to_is_missing():
    with pytest.raises(AssumptionMissing):
        build([member(one) for one in receipts(2)], root=ZERO)


@pytest.mark.parametrize(("count", "po2"), [(1, 16), (2, 17), (3, 18), (5, 18), (11, 19), (24, 20)])
def test_it_takes_a_segment_of_the_size_that_the_real_builder_takes(count, po2):
    members = [Member.of("ab" * 32, bytes([number])) for number in range(count)]
    (segment,) = build(members).segments
    assert segment.facts["po2"] == po2 and set_builder.room(count) >= count


@pytest.mark.parametrize("raw", [b"", bytes(4), (5).to_bytes(4, "little") + bytes(5)])
def test_what_is_no_set_is_refused(raw):
    with pytest.raises(BadInput):
        set_builder.read(raw)


def test_what_is_read_is_what_was_written():
    members = [Member.of("ab" * 32, bytes([number])) for number in range(5)]
    assert set_builder.read(set_builder.stdin(OWN, members)) == (OWN, members)


@pytest.mark.parametrize(
    ("asked", "room"), [(1, 1), (2, 2), (3, 5), (10, 11), (12, 24), (24, 24), (25, 25), (100, 100)]
)
def test_a_set_has_room_for_as_many_as_its_rows_hold(asked, room):
    assert set_builder.room(asked) == room
