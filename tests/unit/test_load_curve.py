"""What a ramp of users shows: windows, percentiles, the peak, the knee, the goals, the table."""

import csv
import math

import pytest
import ramp
from curve import Request, Step, goals, growth, knee, merged, peak, percentile, plateau, step
from tally import Tally, read, total


def at(users, rate, p50=100.0, *, cost_us=1.0, kernel_us=0.8):
    cpu = {"trace-0": rate * cost_us / 1e6 * 10}
    return Step(users, 10.0, rate * 10, p50, p50 * 2, p50 * 3, cpu, kernel_us)


RISING = [at(1, 300_000, 50), at(10, 570_000, 300), at(20, 600_000, 600), at(200, 580_000, 6000)]


def test_only_what_ended_in_the_window_counts():
    requests = [Request(9.9, 1.0, 7), Request(10.0, 0.2, 5), Request(14.9, 0.4, 5)]
    requests.append(Request(15.0, 1.0, 7))
    found = step(3, requests, (10.0, 15.0), {"a": 0.5}, 0.8)
    assert (found.users, found.proofs, found.rate) == (3, 10, 2.0)
    assert (found.p50, found.p95, found.p99) == (200.0, 400.0, 400.0)
    assert found.cost_us == 0.5 / 10 * 1e6
    assert found.overhead_us == pytest.approx(0.5 / 10 * 1e6 - 0.8)


def test_a_window_in_which_nothing_ended_meets_no_goal():
    found = step(1, [], (0.0, 5.0), {"a": 0.5}, 0.8)
    assert found.rate == 0
    assert found.p50 == found.cost_us == math.inf
    assert not any(goal.met for goal in goals([[found, found]]))


@pytest.mark.parametrize(
    ("count", "share", "expected"), [(1, 0.99, 1), (100, 0.99, 99), (101, 0.99, 100), (4, 0.5, 2)]
)
def test_a_percentile_is_one_of_the_values(count, share, expected):
    assert percentile(range(1, count + 1), share) == expected


def test_the_knee_is_where_the_rate_is_first_that_of_the_peak():
    assert peak(RISING).users == 20
    assert knee(RISING).users == 10
    assert plateau(RISING) == pytest.approx(570 / 600)


def test_a_fall_after_the_peak_shows_in_the_plateau_and_not_in_the_knee():
    falling = [at(1, 600_000), at(10, 500_000), at(20, 590_000)]
    assert knee(falling).users == 1
    assert plateau(falling) == pytest.approx(5 / 6)


def test_latency_is_held_against_the_users_it_came_with():
    assert growth([at(1, 1, 50), at(10, 1, 400), at(20, 1, 900)]) == 1.0
    assert growth([at(2, 1, 50), at(20, 1, 600), at(40, 1, 900)]) == pytest.approx(1.2)


def test_of_several_sweeps_the_median_counts():
    sweeps = [[at(1, rate, p50)] for rate, p50 in ((100, 9), (300, 5), (200, 30))]
    (found,) = merged(sweeps)
    assert (found.rate, found.p50) == (200, 9)
    assert found.cost_us == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("bad", "missed"),
    [
        (at(20, 600_000, 600), []),
        (at(20, 499_999, 600), ["peak"]),
        (at(20, 600_000, 600, cost_us=1.31), ["all but the kernel"]),
        (at(20, 600_000, 1001), ["median latency"]),
    ],
)
def test_each_goal_is_missed_by_what_falls_short_of_it(bad, missed):
    found = goals([[at(1, 300_000, 50), bad]])
    names = [goal.name for goal in found if not goal.met]
    assert len(names) == len(missed)
    assert all(name.startswith(start) for name, start in zip(names, missed, strict=True))


def test_one_sweep_that_falls_is_not_the_median():
    flat, falling = [at(1, 600_000), at(20, 600_000)], [at(1, 600_000), at(20, 400_000)]
    by_name = {goal.name: goal.met for goal in goals([flat, falling, flat])}
    assert by_name["knee to last, share of the peak"]
    by_name = {goal.name: goal.met for goal in goals([flat, falling, falling])}
    assert not by_name["knee to last, share of the peak"]


def test_the_table_has_a_row_for_each_step_of_each_sweep(tmp_path):
    ramp.write([RISING, RISING[:2]], 2, tmp_path / "ramp.csv")
    with (tmp_path / "ramp.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["sweep"], row["users"]) for row in rows[3:]] == [
        ("0", "200"),
        ("1", "1"),
        ("1", "10"),
    ]
    assert rows[2]["proofs_s"] == "600000"
    assert rows[2]["kernel_alone_s"] == "2500000"
    assert rows[2]["cpu_trace-0"] == "0.6"


def test_faults_alone_decide_where_speed_is_not_asked_for(capsys):
    slow, clean = [[at(1, 1_000)]], Tally(asked=5, taken=5)
    assert ramp.report(slow, clean, speed=False) == 0
    assert ramp.report(slow, clean, speed=True) == 1
    assert ramp.report([RISING], Tally(asked=5, taken=5, wrong=1), speed=False) == 1
    assert "MISSED none lost" in capsys.readouterr().out


@pytest.mark.parametrize("fault", ["lost", "wrong", "twice", "failed"])
def test_a_tally_is_clean_only_without_any_fault(fault):
    assert Tally(asked=9, taken=9).clean
    assert not Tally(asked=9, taken=8).clean
    assert not Tally(asked=9, taken=9, **{fault: 1}).clean


def test_tallies_are_kept_and_summed(tmp_path):
    one = Tally(asked=9, taken=8, twice=2)
    one.write(tmp_path / "tally.json")
    assert read(tmp_path / "tally.json") == one
    assert total([one, Tally(asked=1, verified=3)]) == Tally(asked=10, taken=8, verified=3, twice=2)
