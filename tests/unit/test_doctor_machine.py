"""What the doctor says of a machine, by what is there."""

import shutil
from collections import namedtuple

import psutil
import pytest

from farm import doctor_machine, locate, pin
from farm.errors import HostMissing, KernelMissing
from farm.settings import Settings

Disk = namedtuple("Disk", "total used free")
Memory = namedtuple("Memory", "total")


def only(found):
    (one,) = found
    return one


@pytest.mark.parametrize(("gigabytes", "level"), [(0.5, "bad"), (5, "warn"), (50, "ok")])
def test_a_full_disk(monkeypatch, tmp_path, gigabytes, level):
    free = int(gigabytes * (1 << 30))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Disk(1 << 40, 0, free))
    one = only(doctor_machine.disk(Settings(state=tmp_path / "not" / "yet")))
    assert one.level == level
    assert "1.0 TiB free" in one.said


@pytest.mark.parametrize(
    ("slots", "po2", "level", "step"),
    [
        (0, 16, "ok", ""),
        (0, 20, "warn", "set FARM_SEGMENT_PO2=19 to use more, or auto"),
        (4, 20, "bad", "set FARM_SLOTS=1 or a smaller FARM_SEGMENT_PO2"),
        (1, 20, "ok", ""),
        (0, "auto", "ok", ""),
        (4, "auto", "ok", ""),
        (40, "auto", "bad", "set FARM_SLOTS=1 or a smaller FARM_SEGMENT_PO2"),
    ],
)
def test_memory_against_slots(monkeypatch, tmp_path, slots, po2, level, step):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(16 << 30))
    monkeypatch.setattr(pin, "cores", lambda: [0, 1, 2, 3])
    settings = Settings(state=tmp_path, slots=slots, segment_po2=po2)
    one = only(doctor_machine.memory(settings))
    assert (one.level, one.step) == (level, step)
    assert "16.0 GiB here" in one.said


def test_a_host_that_is_there(tmp_path, standin):
    one = only(doctor_machine.host(Settings(state=tmp_path, host=standin())))
    assert one.level == "ok" and "zkVM 3.0" in one.said


def test_without_a_host_traces_work(monkeypatch, tmp_path):
    def missing(settings):
        raise HostMissing("PATH")

    monkeypatch.setattr(locate, "find", missing)
    assert only(doctor_machine.host(Settings(state=tmp_path))).level == "warn"
    named = only(doctor_machine.host(Settings(state=tmp_path, host="/there")))
    assert (named.level, named.step) == ("bad", "make host")


def test_without_a_kernel_numpy_does(monkeypatch, tmp_path):
    def missing(named):
        raise KernelMissing("there", "there is no such file")

    monkeypatch.setattr(locate, "kernel", missing)
    one = only(doctor_machine.kernel(Settings(state=tmp_path)))
    assert (one.level, one.step) == ("warn", "make kernel")
    chosen = only(doctor_machine.kernel(Settings(state=tmp_path, kernel="numpy")))
    assert chosen.level == "ok"


def test_what_runs_is_said(tmp_path):
    assert ", Python 3." in only(doctor_machine.system(Settings(state=tmp_path))).said
