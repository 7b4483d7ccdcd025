"""Which processes make a farm: counts, names, commands."""

import pytest

from farm.processes import Machine, Stage, machine_name, risc0_slots, table
from farm.settings import Settings

BIG = Machine("m1", cores=4, memory=64 << 30)


def names(stage, **settings):
    proving = settings.pop("proving", True)
    found = table(Settings(**settings), BIG, proving=proving)
    return [process.name for process in found if process.stage is stage]


def test_a_worker_per_core_and_one_executor():
    assert names(Stage.WORKER) == [
        *[f"risc0-{n}" for n in range(4)],
        "execute-0",
        *[f"trace-{n}" for n in range(4)],
    ]


def test_counts_are_the_operators_where_given():
    assert names(Stage.WORKER, slots=1, executors=2, trace_slots=1) == [
        "risc0-0",
        "execute-0",
        "execute-1",
        "trace-0",
    ]


def test_without_a_host_only_trace_is_left():
    kinds = {name.rpartition("-")[0] for name in names(Stage.WORKER, proving=False)}
    assert kinds == {"trace"}
    assert names(Stage.SCHEDULER, proving=False) == ["scheduler", "sweeper"]
    assert names(Stage.SCHEDULER, sweep_minutes=0) == ["scheduler"]


def test_flower_is_left_out_where_unwanted():
    assert names(Stage.FLOWER) == ["flower"]
    assert names(Stage.FLOWER, flower=False) == []


def test_a_worker_is_told_its_kind_and_slot():
    worker = next(one for one in table(Settings(), BIG, proving=True) if one.slot)
    assert worker.slot == "risc0-m1-0"
    assert worker.command[-6:] == ("farm", "worker", "--kind", "risc0", "--slot", "risc0-m1-0")


def test_simulated_slots_share_processes():
    own = {"simulated": "rtx5090", "slots": 25, "slots_per_process": 10, "executors": 2}
    found = [one for one in table(Settings(**own), BIG, proving=True) if one.slot]
    shared = {one.name: (one.slot, one.command[-2:]) for one in found if "--slots" in one.command}
    assert shared == {
        "risc0-0": ("risc0-m1-0", ("--slots", "10")),
        "risc0-1": ("risc0-m1-10", ("--slots", "10")),
        "risc0-2": ("risc0-m1-20", ("--slots", "5")),
        "execute-0": ("execute-m1-0", ("--slots", "2")),
    }
    assert names(Stage.WORKER, simulated="rtx5090")[:2] == ["risc0-0", "execute-0"]


@pytest.mark.parametrize(
    ("cores", "gigabytes", "po2", "slots"),
    [(2, 24, 20, 2), (8, 24, 20, 2), (8, 24, 16, 8), (8, 4, 20, 1), (2, 8, 16, 2)],
)
def test_slots_are_bounded_by_cores_and_by_memory(cores, gigabytes, po2, slots):
    machine = Machine("m", cores, gigabytes << 30)
    assert risc0_slots(Settings(segment_po2=po2), machine) == slots


@pytest.mark.parametrize(
    ("host", "name"),
    [("box.example.org", "box"), ("My_Box", "my-box"), ("", "machine"), ("--", "machine")],
)
def test_a_machine_is_called_by_its_short_host_name(host, name):
    assert machine_name(Settings(), host) == name


def test_a_machine_is_called_what_the_operator_says():
    assert machine_name(Settings(machine="rack 7"), "box") == "rack-7"
