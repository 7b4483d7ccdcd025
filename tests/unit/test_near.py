"""A join goes where one of its halves was made, if that slot is to get a step anyway."""

from hypothesis import given
from hypothesis import strategies as st
from sessions import slot

from farm.near import near
from farm.placement import Seat

SLOTS = {one.name: one for n in range(6) for one in [slot(n, machine=f"m{n % 3}", cores=[])]}
NAMES = sorted(SLOTS)


def seats(*names):
    return [Seat(name) for name in names]


def test_a_join_goes_to_the_slot_that_made_a_half():
    found = near(seats(*NAMES[:3]), [[], [], [NAMES[0]]], SLOTS)
    assert found[2] == Seat(NAMES[0])
    assert sorted(found) == seats(*NAMES[:3])


def test_else_it_goes_to_the_same_machine():
    there, mate = (name for name in NAMES if SLOTS[name].machine == "m1")
    other = next(name for name in NAMES if SLOTS[name].machine == "m2")
    assert near(seats(mate, other), [[], [there]], SLOTS) == seats(other, mate)


def test_a_step_that_has_to_stay_stays():
    assert near(seats(*NAMES[:2]), [None, [NAMES[0]]], SLOTS) == seats(*NAMES[:2])


def test_seats_of_other_width_are_not_swapped():
    wide = [Seat(NAMES[0], (NAMES[3],)), Seat(NAMES[1])]
    assert near(wide, [[], [NAMES[0]]], SLOTS) == wide


@given(
    names=st.lists(st.sampled_from(NAMES), unique=True, max_size=6),
    makers=st.lists(st.none() | st.lists(st.sampled_from([*NAMES, "gone"])), min_size=6),
)
def test_every_step_has_one_seat_and_every_seat_one_step(names, makers):
    found = near(seats(*names), makers[: len(names)], SLOTS)
    assert sorted(found) == sorted(seats(*names))
    stays = [at for at, made in enumerate(makers[: len(names)]) if made is None]
    assert all(found[at].slot == names[at] for at in stays)
