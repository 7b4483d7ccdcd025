"""Pinning: a thread on its core, and the order in which a slot takes the others."""

import os
import threading

import pytest

from farm import pin


@pytest.mark.parametrize(
    ("number", "order"),
    [(0, [0, 1, 2, 3]), (1, [1, 2, 3, 0]), (3, [3, 0, 1, 2]), (5, [1, 2, 3, 0])],
)
def test_a_slot_starts_at_home_and_goes_round(number, order):
    assert pin.home_first(number, [0, 1, 2, 3]) == order


def test_a_machine_whose_cores_do_not_start_at_zero():
    assert pin.home_first(1, [4, 9]) == [9, 4]


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
