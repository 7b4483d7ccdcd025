"""Pinning: a thread on its core, and the order in which a slot takes the others."""

import os
import threading

import pytest

from farm import pin


@pytest.mark.parametrize(
    ("slots", "shares"),
    [
        (4, [[0], [1], [2], [3]]),
        (3, [[0, 3], [1], [2]]),
        (1, [[0, 1, 2, 3]]),
        (6, [[0], [1], [2], [3], [0], [1]]),
    ],
)
def test_the_slots_of_a_machine_share_its_cores(slots, shares):
    assert [pin.share(number, slots, [0, 1, 2, 3]) for number in range(slots)] == shares


def test_a_slot_has_its_own_cores_first_and_goes_round():
    assert pin.own_first([1], [0, 1, 2, 3]) == [1, 2, 3, 0]
    assert pin.own_first([0, 2], [0, 1, 2, 3]) == [0, 2, 1, 3]
    assert pin.own_first([9], [4, 9]) == [9, 4]


def test_a_pinned_thread_and_what_it_starts_stay_there():
    seen = []
    core = pin.cores()[-1]

    def work():
        pin.pin(core)
        inner = threading.Thread(target=lambda: seen.append(os.sched_getaffinity(0)))
        inner.start()
        inner.join()
        pin.widen(before)
        seen.append(os.sched_getaffinity(0))

    before = pin.cores()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [{core}, set(before)]
    assert pin.cores() == before  # this thread was not touched
