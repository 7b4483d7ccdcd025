"""The size of segments: what a machine holds, what is chosen for a job, what an operator says."""

import pytest
from sessions import slot

from farm import settings as config
from farm.errors import BadSetting
from farm.segment_size import MOST_ON_CORES, UNKNOWN, choose, held, held_on_gpu, peak_bytes
from farm.segment_size import side_by_side as slots_of
from farm.settings import PO2

LONG = 1 << 36


def machines(*sizes, cores=2):
    """Return the slots of machines whose slots, one a core, hold segments of these sizes."""
    return [
        slot(2 * at + core, machine=f"m{at}", po2=po2, cores=[core])
        for at, po2 in enumerate(sizes)
        for core in range(cores)
    ]


def gpus(*sizes):
    return [slot(at, machine=f"g{at}", po2=po2, cores=[]) for at, po2 in enumerate(sizes)]


def test_the_recursion_step_is_the_least_a_prover_needs():
    assert peak_bytes(13) == peak_bytes(16) == 1_450_000_000
    assert peak_bytes(20) == 4 * peak_bytes(18)


@pytest.mark.parametrize(
    ("gigabytes", "po2"), [(0, 14), (1, 14), (2, 17), (3, 18), (9, 20), (20, 21), (900, 22)]
)
def test_a_prover_holds_what_its_memory_does(gigabytes, po2):
    assert held(gigabytes << 30) == po2
    assert po2 in PO2


@pytest.mark.parametrize(("gib", "po2"), [(4, 14), (8, 18), (16, 20), (24, 21), (32, 22)])
def test_a_gpu_holds_what_its_own_memory_does(gib, po2):
    assert held_on_gpu(gib << 30) == po2


@pytest.mark.parametrize(
    ("cores", "gigabytes", "slots"),
    [
        (2, 24, 2),
        (2, 8, 1),  # 2^19 on two cores before 2^18 on one: half the recursion
        (8, 24, 2),
        (8, 96, 8),
        (64, 24, 5),  # two provers of 32 cores each would leave too much of them idle
        (2, 1, 1),
        (1, 0, 1),
    ],
)
def test_a_machine_runs_as_many_as_get_most_done(cores, gigabytes, slots):
    assert slots_of("auto", cores, gigabytes << 30) == slots


def test_an_operator_who_names_a_size_gets_slots_for_it():
    assert slots_of(16, 8, 24 << 30) == 8
    assert slots_of(20, 8, 24 << 30) == 2


def test_the_largest_that_is_held_costs_least():
    assert choose("auto", machines(18), LONG) == 18
    assert choose("auto", machines(20), LONG) == 20
    assert choose("auto", machines(22), LONG) == MOST_ON_CORES
    assert choose("auto", machines(0), LONG) == MOST_ON_CORES, "no bound"
    assert choose("auto", gpus(22, 22), LONG) == 21
    assert choose("auto", gpus(18), LONG) == 18


def test_what_few_hold_is_not_chosen_for_all():
    assert choose("auto", machines(20, *[18] * 9), LONG) == 18
    assert choose("auto", machines(*[20] * 9, 18), LONG) == 20


def test_cores_count_for_nothing_beside_a_gpu():
    assert choose("auto", [*gpus(21), *machines(*[18] * 50)], LONG) == 21


def test_a_short_job_is_spread_over_machines_that_would_idle():
    many = machines(*[20] * 8)
    assert choose("auto", many, 1 << 22) == 19
    assert choose("auto", machines(20), 1 << 22) == 20, "a machine lends its cores"


def test_the_choice_does_not_hang_on_how_many_there_are():
    assert {choose("auto", machines(*[20] * count), LONG) for count in range(1, 40)} == {20}


def test_no_choice_is_15():
    for po2 in PO2:
        for cycles in (1, 1 << 15, 1 << 16, LONG):
            assert choose("auto", machines(po2, po2), cycles) in PO2


def test_a_number_is_what_it_says_or_what_is_held():
    assert choose(16, machines(20), LONG) == 16
    assert choose(22, machines(20, 18), LONG) == 20
    assert choose(22, [], LONG) == 22


def test_while_no_slot_is_up_nobody_knows():
    assert choose("auto", [slot(0, kind="execute")], LONG) == UNKNOWN


@pytest.mark.parametrize("po2", ["auto", 14, 16, 22, "18"])
def test_a_setting_that_is_a_size(po2):
    assert config.load(segment_po2=po2).segment_po2 == (18 if po2 == "18" else po2)


def test_a_variable_sets_it(monkeypatch):
    monkeypatch.setenv("FARM_SEGMENT_PO2", "19")
    assert config.load().segment_po2 == 19


@pytest.mark.parametrize("po2", [15, "15", 13, 23, "large", 20.5, True])
def test_a_setting_that_is_none_is_refused(po2):
    with pytest.raises(BadSetting, match=r'segment_po2.*not "auto", 14, or 16 to 22'):
        config.load(segment_po2=po2)
