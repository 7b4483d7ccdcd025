"""The model of a peer's farm: does the work that there is, and what each idea is worth."""

import pytest
from peer import Ideas, Model
from simulated_jobs import PO2, Work, equal, mix

from farm.simulated_profile import load

PROFILE = load("rtx5090")
ALL = Ideas(held=3, beside=True, neighbours=True, fair=True)


def run(jobs, cards=4, ideas=Ideas(), lanes=4):  # noqa: B008
    return Model(PROFILE, cards, lanes, ideas).run(jobs)


def test_one_segment_passes_through_the_peer_one_thing_after_another():
    alone = run([Work(0, "t", "one", 1)], cards=1).makespan
    put = PROFILE.transfer(PROFILE.receipt_bytes)
    fetch = PROFILE.transfer(PROFILE.segment_bytes)
    executed = PROFILE.executing(PO2) + fetch
    claimed = 2 * PROFILE.latency
    proved = 0.3 + 0.5 + 0.15 + 2 * PROFILE.verify
    assert alone == pytest.approx(executed + claimed + fetch + proved + put + PROFILE.verify)


@pytest.mark.parametrize("ideas", [Ideas(), Ideas(held=3), ALL])
@pytest.mark.parametrize("segments", [1, 2, 3, 7, 8, 21])
def test_each_segment_is_proved_and_all_are_joined_once(segments, ideas):
    done = run(equal(3, segments), ideas=ideas)
    assert len(done.took) == 3
    device = 3 * (segments * 0.65 + (segments - 1) * 0.25)
    assert done.busy * 4 * done.makespan == pytest.approx(device)


def test_work_beside_the_card_takes_time_off():
    ladder = [Ideas(), Ideas(3), Ideas(3, beside=True)]
    spans = [run(equal(4, 50), ideas=ideas).makespan for ideas in ladder]
    assert spans == sorted(spans, reverse=True)
    assert spans[-1] < 0.8 * spans[0]


def test_joins_that_go_first_end_the_first_job_sooner():
    def first(ideas):
        return run(equal(4, 50), ideas=ideas).took["job-0"]

    assert first(Ideas(3, beside=True, neighbours=True)) < first(Ideas(3, beside=True))


def test_small_jobs_gain_by_fair_shares():
    jobs = mix(huge=60, mediums=6, medium=20, smalls=20, seconds=20)

    def slowest(ideas):
        took = run(jobs, ideas=ideas).took
        return max(seconds for label, seconds in took.items() if label.startswith("small"))

    assert slowest(ALL) < slowest(ALL._replace(fair=False)) / 2


def test_executions_wait_for_a_lane():
    both, one = equal(2, 10), equal(1, 10)
    assert run(both, cards=40, lanes=1).makespan > run(both, cards=40, lanes=2).makespan + 0.3
    assert run(one, cards=40, lanes=1).makespan == run(one, cards=40, lanes=2).makespan


def test_the_mix_is_the_same_for_whoever_is_measured():
    assert mix(10, 5, 4, 20, 60) == mix(10, 5, 4, 20, 60)
    tenants = [work.tenant for work in mix(10, 5, 4, 20, 60)]
    assert (tenants.count("huge"), tenants.count("medium"), tenants.count("small")) == (1, 5, 20)


def test_the_small_jobs_of_the_mix_come_one_by_one():
    moments = [work.at for work in mix(10, 5, 4, 20, 60) if work.tenant == "small"]
    assert len(set(moments)) == 20
    assert moments == sorted(moments)
    assert max(moments) - min(moments) > 30
