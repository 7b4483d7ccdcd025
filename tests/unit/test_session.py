"""Identity: what makes two requests one session, one job, or neither."""

import pytest
from sessions import ref, spec

from farm.errors import BadInput
from farm.session import Span, identity, job_key, parse_step, same_limits, session_name, step_name

OTHER = [
    {"image_id": "22" * 32},
    {"input": ref("another input")},
    {"namespace": "another"},
    {"kind": "simulated"},
    {"kind": "trace"},
    {"kind": "execute"},
    {"assumptions": [ref("receipt")]},
    {"assumptions": ["j7"]},
]
LIMITS = [{"po2": 18}, {"cycle_limit": 7}, {"input_limit": 7}]
NEITHER = [{"priority": 9}, {"deadline": 1.0}, {"idempotency_key": "k"}, {"labels": {"a": "b"}}]


@pytest.mark.parametrize("change", OTHER)
def test_another_request_is_another_job(change):
    assert job_key(spec()) != job_key(spec(**change))
    assert identity(spec()) != identity(spec(**change))


def test_no_two_kinds_share_anything():
    kinds = [spec(kind=kind) for kind in ("risc0", "trace", "execute", "simulated", "fake")]
    assert len({job_key(one) for one in kinds}) == len({identity(one) for one in kinds}) == 5


def test_another_kind_of_receipt_is_another_job():
    receipts = [spec(receipt=kind) for kind in ("succinct", "composite", "groth16")]
    assert len({job_key(one) for one in receipts}) == 3


def test_the_order_of_what_a_guest_relies_on_changes_nothing():
    one, other = (spec(assumptions=given) for given in (["j1", "j2"], ["j2", "j1", "j2"]))
    assert job_key(one) == job_key(other) and identity(one) == identity(other)


@pytest.mark.parametrize("change", LIMITS)
def test_other_limits_are_another_session_of_the_same_job(change):
    assert job_key(spec()) == job_key(spec(**change))
    assert identity(spec()) != identity(spec(**change))
    assert not same_limits(session_name(spec()), identity(spec(**change)))


@pytest.mark.parametrize("change", NEITHER)
def test_how_urgent_it_is_changes_neither(change):
    assert job_key(spec()) == job_key(spec(**change))
    assert identity(spec()) == identity(spec(**change))


def test_a_session_started_again_has_another_name():
    assert session_name(spec("j1")) != session_name(spec("j2"))
    assert same_limits(session_name(spec("j1")), identity(spec("j2")))


def test_the_name_of_a_step_says_kind_and_span():
    assert step_name("join", Span(0, 4)) == "join:0-4"
    assert parse_step("join:0-4") == ("join", Span(0, 4))
    assert parse_step("execute") == ("execute", None)
    with pytest.raises(BadInput, match="not a step"):
        parse_step("join:0")
