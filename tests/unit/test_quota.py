"""What tenants may use, and how often a key may ask."""

import pytest

from farm import settings as config
from farm.errors import BadSetting
from farm.quota import Pacer, Quota, of, until_midnight


def test_a_tenant_has_its_own_quota_or_that_of_anybody():
    quotas = {"*": Quota(jobs=5), "alice": Quota(jobs=9)}
    assert of(quotas, "alice").jobs == 9 and of(quotas, "bob").jobs == 5
    assert of({}, "bob") == Quota()


def test_they_are_read_from_the_settings(monkeypatch):
    monkeypatch.setenv("FARM_QUOTAS", '{"*": {"jobs": 3, "rate": 2.5}}')
    assert config.load().quotas["*"] == Quota(jobs=3, rate=2.5)
    monkeypatch.setenv("FARM_QUOTAS", '{"*": {"jops": 3}}')
    with pytest.raises(BadSetting):
        config.load()


def test_so_many_a_second_are_let_through_and_a_burst_after_silence():
    pacer = Pacer(10)
    assert [pacer.wait(100) for _ in range(20)] == [0] * 20
    assert pacer.wait(100) == pytest.approx(0.1)
    assert pacer.wait(100.11) == 0 and pacer.wait(100.11) > 0
    assert [pacer.wait(1000) for _ in range(21)][-1] > 0


def test_without_a_rate_all_are():
    assert all(Pacer(0).wait(1) == 0 for _ in range(1000))


def test_a_day_ends_at_midnight_of_utc():
    assert until_midnight(86400 * 3) == 86401 and until_midnight(86400 * 3 - 1) == 2
