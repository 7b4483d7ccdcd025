"""From where on something pays: as the models begin, and as they learn."""

import pytest

from farm.cost import CostModel
from farm.session import Slot
from farm.terms import Features, risc0_name
from farm.thresholds import ENOUGH, serial, serial_known, thresholds
from farm.width import SERIAL, one_after_another


def of(found, name):
    return {one.size: one.value for one in found if one.name == name}


def observed(verb, seconds, widths=(1,), device="cpu", wall=True):
    """Return a model of what took so many seconds, by width."""
    model = CostModel(risc0_name(verb, device, wall=wall))
    for at in range(2 * ENOUGH):
        width = widths[at % len(widths)]
        model.observe(Features(po2=20, width=width), seconds(width))
    return model


def test_before_anything_is_learned_all_are_guesses():
    found = thresholds({})
    assert {one.name for one in found} == {"cache", "serial", "wide", "batch"}
    assert not any(one.learned for one in found)
    assert of(found, "serial")["lift"] == pytest.approx(100 * SERIAL)


def test_a_proof_is_worth_keeping_if_one_job_in_thousands_comes_again():
    cache = of(thresholds({}), "cache")
    assert cache["proof of 2^20 cycles"] < cache["proof of 2^14 cycles"] < 0.01
    assert 0.1 < cache["execution of 2^24 cycles"] < cache["execution of 2^20 cycles"] <= 100


def test_a_batch_pays_for_small_jobs_and_never_for_large_ones():
    assert of(thresholds({}), "batch") == {
        "2^14 cycles": 2,
        "2^16 cycles": 2,
        "2^18 cycles": 2,
        "2^20 cycles": None,
    }


def test_where_recursion_is_cheap_a_batch_of_such_jobs_pays_never():
    models = [observed("prove", lambda _: 1000.0, wall=False)]
    models += [observed(verb, lambda _: 0.5, wall=False) for verb in ("lift", "join")]
    found = thresholds({model.name: model for model in models})
    assert of(found, "batch")["2^18 cycles"] is None
    assert {one.learned for one in found if one.name == "batch"} == {True}


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("widths", [(1, 2), (1, 8), (2, 4)])
@pytest.mark.parametrize("verb", ["lift", "prove"])
def test_the_serial_part_is_learned_from_steps_of_several_widths(verb, part, widths):
    model = observed(verb, lambda width: 80 * (part + (1 - part) / width), widths)
    assert serial_known(model)
    assert serial(model) == pytest.approx(part, abs=0.03)


@pytest.mark.parametrize("width", [1, 2, 8])
def test_steps_of_one_width_tell_nothing_of_it(width):
    assert not serial_known(observed("lift", lambda _: 80.0, (width,)))
    assert not serial_known(CostModel(risc0_name("lift", "cpu", wall=True)))


def test_wide_is_what_the_placement_goes_by():
    slots = [
        Slot(name=f"s{at}", kind="risc0", machine="m", cores=[at], incarnation="1")
        for at in range(4)
    ]
    for cores in (2, 4):
        limit = of(thresholds({}), "wide")[f"lift, {cores} cores"]
        half = cores // 2
        shares = [slots[:half], slots[half:cores]]
        assert one_after_another([10_000, int(100 * limit) - 50], shares)
        assert not one_after_another([10_000, int(100 * limit) + 50], shares)


def test_the_device_that_proved_most_counts():
    models = [observed("lift", lambda _: 1.0, device="cuda", wall=False)]
    models += [CostModel(risc0_name("lift", "cpu"))]
    found = of(thresholds({model.name: model for model in models}), "cache")
    assert found["proof of 2^14 cycles"] > of(thresholds({}), "cache")["proof of 2^14 cycles"]
