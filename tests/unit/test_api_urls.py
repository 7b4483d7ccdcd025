"""How clients reach the API: by the setting, by what they asked, or by what their proxy says."""

import pytest
from starlette.requests import Request

from farm.api.urls import Urls
from farm.settings import Settings


def request(peer="9.9.9.9", **headers):
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "scheme": "http", "path": "/", "headers": named, "query_string": b""}
    return Request(scope | {"client": (peer, 1), "server": ("10.0.0.1", 80)})


def url(asked, **settings):
    return Urls(Settings(**settings)).of(asked, "/x")


def test_the_setting_goes_before_all():
    asked = request("127.0.0.1", host="a:1", x_forwarded_host="b")
    assert url(asked, api_url="https://farm.test/base/") == "https://farm.test/base/x"


def test_without_it_what_was_asked_counts():
    assert url(request(host="a:1")) == "http://a:1/x"


@pytest.mark.parametrize("peer", ["127.0.0.1", "::1"])
def test_a_proxy_that_is_known_is_believed(peer):
    said = {"host": "inner", "x_forwarded_host": "outer.test, inner", "x_forwarded_proto": "https"}
    assert url(request(peer, **said)) == "https://outer.test/x"
    assert url(request(peer, **said), api_proxies="10.0.0.0/8") == "http://inner/x"
    assert url(request("10.1.2.3", **said), api_proxies="10.0.0.0/8") == "https://outer.test/x"


def test_nobody_else_is():
    said = {"host": "inner", "x_forwarded_host": "evil.test", "x_forwarded_proto": "https"}
    assert url(request("9.9.9.9", **said)) == "http://inner/x"
    assert url(request("unix", **said)) == "http://inner/x"
