"""Addresses of servers: databases beside, Celery's spelling, no password in texts."""

import traceback

import pytest

from farm import address
from farm.errors import BadSetting
from farm.server import connect


@pytest.mark.parametrize(
    ("url", "beside"),
    [
        ("redis://h:6379", "redis://h:6379/1"),
        ("redis://:pw@h:6379/4", "redis://:pw@h:6379/5"),
        ("redis://h/?db=2", "redis://h/3"),
        ("rediss://u:p@h/0?ssl_cert_reqs=required", "rediss://u:p@h/1?ssl_cert_reqs=required"),
        ("unix:///run/a.sock", "unix:///run/a.sock?db=1"),
        ("unix://:pw@/run/a.sock?db=3", "unix://:pw@/run/a.sock?db=4"),
    ],
)
def test_the_next_database_of_the_same_server(url, beside):
    assert address.beside(url, 1) == beside


@pytest.mark.parametrize(
    ("url", "celery"),
    [
        ("redis://:pw@h/1", "redis://:pw@h/1"),
        ("unix://:pw@/run/a.sock?db=3", "redis+socket://:pw@/run/a.sock?virtual_host=3"),
        ("unix:///run/a.sock", "redis+socket:///run/a.sock?virtual_host=0"),
        ("redis+socket:///run/a.sock?virtual_host=0", "redis+socket:///run/a.sock?virtual_host=0"),
    ],
)
def test_celery_spells_sockets_in_its_own_way(url, celery):
    assert address.for_celery(url) == celery


@pytest.mark.parametrize(
    "url",
    [
        "redis://u:pw@h:1/0",
        "unix://:pw@/run/a.sock?db=3",
        "redis://:pw/pw@h:1/0",
        "redis://:pw#pw@h",
        "redis://:pw?pw@h",
        "redis://:pw@pw/pw@h",
        "redis://h/0?password=pw@pw",
        "u:pw@h",
    ],
)
def test_texts_never_show_a_password(url):
    assert "pw" not in address.shown(url)
    for use in (lambda: address.beside(url, 1), lambda: connect(url)):
        try:
            use()
        except BadSetting as error:
            assert "pw" not in "".join(traceback.format_exception(error)).replace(url, "")


@pytest.mark.parametrize("url", ["redis://h:1/0", "unix:///run/a.sock"])
def test_an_address_without_a_password_is_shown_whole(url):
    assert address.shown(url) == url


@pytest.mark.parametrize("url", ["http://h", "h:6379", "redis://h/x"])
def test_an_address_that_cannot_be_used_is_refused_without_its_password(url):
    with pytest.raises(BadSetting):
        address.beside(url, 1)
