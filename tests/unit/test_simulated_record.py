"""What is read out of the record of simulated devices."""

import msgspec
import pytest
import simulated_record as record
from simulated_record import Spell

from farm import simulated_device
from farm.simulated_device import Line
from farm.simulated_profile import load


def spell(start, stop, verb="prove", label="a", span=(0, 1), slot="s-0"):
    return Spell(slot, verb, label, span, start, stop)


def test_lines_become_spells_and_a_killed_step_has_no_end(tmp_path):
    folder = simulated_device.folder(tmp_path)
    folder.mkdir()
    lines = [
        Line(2.0, "s-0 7-0", "prove", "a", (0, 1)),
        Line(3.0, "s-0 7-0"),
        Line(4.0, "s-0 7-1", "join", "a", (0, 2)),
    ]
    (folder / "s-0-7.jsonl").write_bytes(b"\n".join(msgspec.json.encode(one) for one in lines))
    again = Line(5.0, "s-0 8-0", "join", "a", (0, 2))
    (folder / "s-0-8.jsonl").write_bytes(msgspec.json.encode(again))
    assert record.spells(tmp_path) == [
        spell(2.0, 3.0),
        spell(4.0, None, "join", span=(0, 2)),
        spell(5.0, None, "join", span=(0, 2)),
    ]


def test_busy_counts_what_falls_into_the_time():
    found = [spell(0, 4), spell(6, 12), spell(6, 8, slot="s-1"), spell(3, None)]
    assert record.busy(found, 2, 2, 10) == pytest.approx((2 + 4 + 2) / 16)
    assert record.runs_out(found) == 6


def test_the_last_lift_of_each_job_counts():
    found = [spell(0, 1, "lift"), spell(2, 5, "lift"), spell(5, 9, "join")]
    found.append(spell(0, 2, "lift", "b"))
    assert record.last_lifts(found) == {"a": 5, "b": 2}


def test_seconds_are_those_of_the_tenant():
    found = [spell(0, 4), spell(0, 4, label="b"), spell(0, 2, label="c")]
    had = record.seconds_of(found, {"a": "x", "b": "x", "c": "y"}.__getitem__, 1, 3)
    assert had == {"x": 4, "y": 1}


def test_what_was_done_twice_or_killed_was_in_vain():
    profile = load("l40s")
    found = [spell(0, 1), spell(2, 3), spell(4, 5, "lift"), spell(6, None, "join", span=(0, 2))]
    found += [spell(7, 8, "join", span=(0, 2)), spell(9, 10, label="b")]
    share, steps = record.repeated(found, profile, 21, speed=1.0)
    assert steps == 2
    assert share == pytest.approx((1 + profile.join) / (5 + profile.join))
