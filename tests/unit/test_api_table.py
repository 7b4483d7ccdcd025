"""The table of routes, the description made of it, and the status of every error."""

import re

import pytest

from farm.api import answers
from farm.api.routes import ROUTES, described
from farm.errors import Busy, FarmError, GuestPanicked, LedgerDown, NoKey, TooFast, UnknownJob


def test_every_route_is_described_under_a_name_of_its_own():
    document = described()
    found = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(found) == {f"{route.method} {route.path}" for route in ROUTES}
    names = [operation["operationId"] for operation in found.values()]
    assert len(set(names)) == len(names)
    for name, operation in found.items():
        parts = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert parts == set(re.findall(r"{(\w+)}", name)), name
        assert operation["summary"].endswith((".", ";")) or operation["summary"], name


def test_what_is_referred_to_is_there():
    text = answers.json(described()).body.decode()
    known = set(described()["components"]["schemas"])
    assert set(re.findall(r'"#/components/schemas/(\w+)"', text)) <= known


def test_what_changes_something_stands_in_the_audit_log():
    quiet = {route.path for route in ROUTES if route.method != "GET" and not route.writes}
    assert quiet == set()
    assert [r.path for r in ROUTES if r.method == "GET" and r.writes] == ["/sessions/stop/{uuid}"]


def kinds(root):
    return [root, *(kind for child in root.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", kinds(FarmError))
def test_every_error_has_a_status(kind):
    assert 400 <= answers.status(kind("a", "b", 1)) <= 503


@pytest.mark.parametrize(
    ("error", "status", "header"),
    [
        (UnknownJob("j1"), 404, None),
        (NoKey("none"), 401, ("www-authenticate", "Bearer")),
        (TooFast("k1", "5", 0.2), 429, ("retry-after", "1")),
        (Busy("jobs", 5, 7), 503, ("retry-after", "7")),
        (LedgerDown("s", "gone"), 503, ("retry-after", "1")),
        (GuestPanicked("no"), 409, None),
    ],
)
def test_an_error_is_told_with_what_a_client_needs(error, status, header):
    told = answers.problem(error)
    assert told.status_code == status and error.code in told.body.decode()
    assert header is None or told.headers[header[0]] == header[1]
