"""Cost models: they start as the rule says, follow what is measured, and are hard to mislead."""

import math
import random
from statistics import median

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farm import terms, trace_numpy, trace_plain
from farm.cost import CostModel
from farm.errors import BadInput
from farm.terms import RULES, Features, piecewise, risc0_name, trace_name

KERNEL = trace_name("fib.v0", "kernel")
NUMPY = trace_name("fib.v0", "numpy")
LENGTHS = (100, 300, 500, 1000, 5000)


def single(length):
    return Features(rows=1, steps=length)


def true_seconds(f, speed=1.0):
    """A machine that is nothing like the reference's: 12 us a call, 0.1 a row, 0.015 a step."""
    return speed * (12e-6 + 0.1e-6 * f.rows + 0.015e-6 * f.steps)


def mixed(dice):
    """A chunk, or as often a single proof, of any length."""
    rows = 1 if dice.random() < 0.5 else int(10 ** dice.uniform(0, 4))
    return Features(rows=rows, steps=int(rows * 10 ** dice.uniform(1, 3.9)))


def noise(dice):
    # What measurements of short pieces of work are like: some percent, and now and then far more.
    return math.exp(dice.gauss(0, 0.05)) * (1.5 if dice.random() < 0.03 else 1.0)


def learn(model, dice, count, *, speed=1.0, spoil=lambda at, seconds: seconds):
    for at in range(count):
        seen = mixed(dice)
        model.observe(seen, spoil(at, true_seconds(seen, speed) * noise(dice)))


def error(model, speed=1.0):
    found = []
    for length in LENGTHS:
        truth = true_seconds(single(length), speed)
        found.append(abs(model.predict(single(length)) - truth) / truth)
    return median(found)


@pytest.mark.parametrize(
    ("steps", "microseconds"), [(0, 0), (100, 23), (300, 53), (500, 83), (1000, 143)]
)
def test_the_reference_estimates_by_pieces(steps, microseconds):
    assert piecewise(steps) == pytest.approx(microseconds * 1e-6)


@pytest.mark.parametrize("name", [KERNEL, NUMPY, trace_name("sha256.v0", "numpy")])
def test_before_anything_is_seen_a_trace_costs_what_the_reference_says(name):
    model = CostModel(name)
    for steps in (1, 50, 300, 5000):
        assert model.predict(single(steps)) == pytest.approx(piecewise(steps))
    chunk = Features(rows=1000, steps=300_000)
    assert model.predict(chunk) == pytest.approx(1000 * piecewise(300))
    assert (model.count, model.error) == (0, None)


@pytest.mark.parametrize(
    ("verb", "features", "seconds"),
    [
        ("prove", Features(po2=15, width=2), 16.6),
        ("prove", Features(po2=15), 33.3),
        ("prove", Features(po2=17, width=2), 80),
        ("lift", Features(width=2), 48.2),
        ("join", Features(width=2), 52),
        ("execute", Features(cycles=17_000_000), 0.26),
    ],
)
def test_before_anything_is_seen_a_host_takes_what_was_once_measured(verb, features, seconds):
    model = CostModel(risc0_name(verb, "cpu", wall=True))
    assert model.predict(features) == pytest.approx(seconds, rel=0.15)


def test_cpu_seconds_do_not_fall_as_cores_are_added_and_those_of_the_clock_do():
    narrow, wide = Features(po2=20), Features(po2=20, width=2)
    work, wall = (CostModel(risc0_name("prove", "cpu", wall=w)) for w in (False, True))
    assert work.predict(wide) == work.predict(narrow)
    assert wall.predict(wide) < 0.6 * wall.predict(narrow)


def test_the_blocks_of_the_numpy_backend_are_as_it_cuts_them():
    assert (terms.BLOCK, terms.NARROW) == (trace_numpy.BLOCK, trace_numpy.NARROW)
    assert {name.split("/")[1] for name in RULES if name.startswith("trace/")} == set(
        trace_plain.PROGRAMS
    )


@pytest.mark.parametrize("name", [KERNEL, NUMPY])
@pytest.mark.parametrize("speed", [0.1, 1.0, 20.0])
def test_two_hundred_observations_teach_what_single_proofs_cost(name, speed):
    model = CostModel(name)
    learn(model, random.Random(1), 200, speed=speed)
    assert error(model, speed) < 0.1
    assert model.count == 200
    assert model.error < 0.15


def test_the_error_is_of_predictions_made_before():
    model = CostModel(KERNEL)
    model.observe(single(100), 2 * piecewise(100))
    assert model.error == pytest.approx(0.5)
    first = model.predict(single(100))
    model.observe(single(100), 46e-6)
    assert model.errors[1] == pytest.approx((first - 46e-6) / 46e-6)


@pytest.mark.parametrize("factor", [1000.0, 0.001])
@pytest.mark.parametrize("start", [0, 100])
def test_poisoned_observations_do_not_break_it(factor, start):
    def spoil(at, seconds):
        return seconds * factor if at >= start and at % 20 == 0 else seconds

    model = CostModel(KERNEL)
    learn(model, random.Random(2), 200, spoil=spoil)
    assert error(model) < 0.1


@pytest.mark.parametrize("factor", [1000.0, 0.001])
def test_a_burst_of_poison_is_got_over(factor):
    model, dice = CostModel(KERNEL), random.Random(3)
    learn(model, dice, 200)
    learn(model, dice, 10, spoil=lambda at, seconds: seconds * factor)
    learn(model, dice, 30)
    assert error(model) < 0.1


@pytest.mark.parametrize("speed", [0.3, 0.7, 1.5, 3.0])
def test_drift_is_followed(speed):
    model, dice = CostModel(KERNEL), random.Random(4)
    learn(model, dice, 500)
    learn(model, dice, 200, speed=speed)
    assert error(model, speed) < 0.1


def test_what_was_known_of_single_proofs_outlives_a_week_of_chunks():
    model, dice = CostModel(KERNEL), random.Random(5)
    learn(model, dice, 200)
    for _ in range(5000):
        seen = Features(rows=16_384, steps=16_384 * 50)
        model.observe(seen, true_seconds(seen) * noise(dice))
    assert error(model) < 0.1


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, 0.0, -1.0, 1e-300, 1e300])
def test_what_cannot_be_a_time_changes_nothing(seconds):
    model = CostModel(KERNEL)
    before = msgspec.json.encode(model)
    assert not model.observe(single(100), seconds)
    assert msgspec.json.encode(model) == before


def test_a_step_of_no_size_teaches_nothing():
    assert not CostModel(KERNEL).observe(Features(), 1.0)


@pytest.mark.parametrize("seconds", [1e-9, 1.0, 1e7])
def test_sizes_that_no_step_has_do_not_break_it(seconds):
    model, dice = CostModel(KERNEL), random.Random(8)
    learn(model, dice, 200)
    for rows, steps in ((10**12, 1), (1, 10**12), (10**12, 10**12), (1, 1e-300), (1e-300, 1)):
        model.observe(Features(rows=rows, steps=steps), seconds)
    learn(model, dice, 20)
    assert error(model) < 0.1


def test_a_kept_model_goes_on_where_it_was():
    model = CostModel(NUMPY)
    learn(model, random.Random(6), 100)
    again = msgspec.json.decode(msgspec.json.encode(model), type=CostModel)
    learn(model, random.Random(7), 50)
    learn(again, random.Random(7), 50)
    assert again == model


@pytest.mark.parametrize(
    "kept",
    [
        {"name": "trace/none/kernel"},
        {"name": KERNEL, "weights": [1.0]},
        {"name": KERNEL, "weights": [1.0] * 5, "information": [[1.0]] * 5},
        {"name": KERNEL, "weights": [1.0] * 5},
        {"name": KERNEL, "v": 99},
    ],
)
def test_what_was_kept_by_another_version_is_refused(kept):
    with pytest.raises(BadInput, match="cost model"):
        msgspec.json.decode(msgspec.json.encode(kept), type=CostModel)


features = st.builds(
    Features,
    rows=st.integers(0, 10**9),
    steps=st.integers(0, 10**12),
    po2=st.integers(0, 32),
    width=st.integers(1, 64),
    cycles=st.integers(0, 10**12),
)
measured = st.tuples(features, st.floats(1e-9, 1e7))


@given(name=st.sampled_from(sorted(RULES)), seen=st.lists(measured, max_size=40))
def test_whatever_is_measured_predictions_are_finite_and_grow_with_the_work(name, seen):
    model = CostModel(name)
    for one, seconds in seen:
        model.observe(one, seconds)
        assert all(0 <= weight < math.inf for weight in model.weights)
    assert msgspec.json.decode(msgspec.json.encode(model), type=CostModel) == model
    trace = name.startswith("trace")
    for one in (single(1), single(5000)) if trace else (Features(po2=20), Features(cycles=1e6)):
        assert 0 < model.predict(one) < math.inf
    assert model.predict(single(5000)) >= model.predict(single(100))
    assert model.predict(Features(po2=20)) >= model.predict(Features(po2=16))
    assert model.predict(Features(po2=20, width=2)) <= model.predict(Features(po2=20))
