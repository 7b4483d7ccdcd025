"""Who may ask the API for what: a row for every route, and what each says to whom it is not for."""

import json
import re
import time

import pytest
from asking import user
from goldens import BLOBS, IMAGES, stdin

from farm.api.routes import ROUTES

pytestmark = [pytest.mark.redis, pytest.mark.host]

IMAGE = IMAGES["fibonacci"]

#: What another tenant is answered on each route where something of the first one is asked for. 404
#: is as if there were no such thing; what is only about oneself says nothing of the other.
OTHERS = {
    "GET /sessions/status/{uuid}": 404,
    "GET /sessions/logs/{uuid}": 404,
    "GET /sessions/stop/{uuid}": 404,
    "GET /sessions/exec_only_journal/{uuid}": 404,
    "POST /sessions/create": 404,
    "GET /images/upload/{image_id}": 200,
    "PUT /images/upload/{image_id}": "own",
    "DELETE /images/{image_id}": 404,
    "GET /inputs/upload": "own",
    "PUT /inputs/upload/{uuid}": "own",
    "DELETE /inputs/{uuid}": 404,
    "GET /receipts/upload": "own",
    "PUT /receipts/upload/{uuid}": "own",
    "GET /receipts/{uuid}": 404,
    "GET /receipts/stark/receipt/{uuid}": 404,
    "GET /receipts/groth16/receipt/{uuid}": 404,
    "POST /snark/create": 404,
    "GET /snark/status/{uuid}": 404,
    "GET /version": "own",
    "GET /user/quotas": "own",
    "GET /v1/jobs/{id}": 404,
    "POST /v1/jobs": 404,
    "GET /v1/jobs": "own",
    "POST /v1/jobs/{id}/cancel": 404,
    "GET /v1/jobs/{id}/changes": 404,
    "GET /v1/jobs/{id}/events": 404,
    "GET /v1/jobs/{id}/receipt": 404,
    "GET /v1/jobs/{id}/journal": 404,
    "GET /v1/jobs/{id}/logs": 404,
    "GET /v1/jobs/{id}/blobs/{ref}": 404,
    "GET /v1/jobs/{id}/members": 404,
    "POST /v1/sets": "own",
    "POST /v1/batches": "own",
    "GET /v1/batches/{id}": 404,
    "GET /v1/batches/{id}/results": 404,
    "POST /v1/batches/{id}/cancel": 404,
    "POST /v1/images": "own",
    "POST /v1/inputs": "own",
    "POST /v1/receipts": "own",
    "GET /v1/uploads": "own",
    "GET /v1/images/{image_id}": 404,
    "DELETE /v1/images/{image_id}": 404,
    "GET /v1/inputs/{uuid}": 404,
    "DELETE /v1/inputs/{uuid}": 404,
    "GET /v1/receipts/{uuid}": 404,
    "DELETE /v1/receipts/{uuid}": 404,
    "GET /v1/usage": "own",
    "GET /v1/keys": 403,
    "POST /v1/keys": 403,
    "DELETE /v1/keys/{id}": 403,
    "GET /v1/openapi.json": "own",
}

ROWS = [pytest.param(route, id=f"{route.method} {route.path}") for route in ROUTES]


@pytest.fixture(scope="module")
def first(api_farm):
    """Somebody who has uploaded and proved."""
    return user(api_farm, namespace="first")


@pytest.fixture(scope="module")
def things(first):
    """What the first tenant has: parts of paths by their names."""
    image = first.told("POST", "/v1/images", (BLOBS / "fibonacci.bin").read_bytes())["id"]
    input = first.told("POST", "/v1/inputs", stdin("seven"))["id"]
    job = first.told("POST", "/v1/jobs", {"image_id": image, "input": input})["id"]
    batch = first.told("POST", "/v1/batches", {"program": "fib.v0", "rounds": [1, 2]})["id"]
    first.asks("GET", f"/v1/jobs/{job}/events")  # until it has ended
    ref = first.told("GET", f"/v1/jobs/{job}")["receipt"]
    assert ref
    return {"image": image, "input": input, "job": job, "batch": batch, "ref": ref}


def filled(route, things):
    """Return the path and body by which this route asks for the first tenant's things."""
    id = things["batch"] if "batches" in route.path else things["job"]
    if "inputs" in route.path or "receipts/upload" in route.path:
        id = things["input"]
    if route.method == "PUT":
        id = "mine-from-now-on"
    parts = {"id": id, "uuid": id, "image_id": things["image"], "ref": things["ref"]}
    path = re.sub(r"{(\w+)}", lambda part: parts[part[1]], route.path)
    bodies = {
        "/sessions/create": {"img": things["image"], "input": things["input"]},
        "/snark/create": {"session_id": things["job"]},
        "/v1/jobs": {"image_id": things["image"], "input": things["input"]},
        "/v1/keys": {"name": "x", "namespace": "x", "scopes": ["read"]},
    }
    return path, bodies.get(route.path, b"" if route.method in ("PUT", "POST") else None)


def test_every_route_has_its_row_here():
    assert {f"{route.method} {route.path}" for route in ROUTES} == set(OTHERS)


@pytest.mark.parametrize("route", ROWS)
def test_without_a_key_with_a_wrong_one_or_a_revoked_one_it_is_refused(
    first, things, revoked, route
):
    path, body = filled(route, things)
    for secret in ("", "farm_nobody-knows-this-one", revoked):
        answer = first.asks(route.method, path, body, secret=secret)
        assert answer.status == 401 and answer.json()["type"] == "NoKey"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.fixture(scope="module")
def revoked(api_farm):
    """A secret that was good once."""
    somebody = user(api_farm, "submit", "read", "admin", namespace="first")
    id = somebody.told("GET", "/v1/keys")[-1]["id"]
    assert api_farm.types("key", "revoke", id).returncode == 0
    # Within a second nobody believes it any more.
    for _ in range(40):
        if somebody.asks("GET", "/version").status == 401:
            return somebody.secret
        time.sleep(0.05)
    pytest.fail("the key is good still")


@pytest.mark.parametrize("route", ROWS)
def test_a_key_without_the_scope_is_refused(api_farm, first, things, scoped, route):
    path, body = filled(route, things)
    for scope, secret in scoped.items():
        if scope != route.scope:
            answer = first.asks(route.method, path, body, secret=secret)
            assert answer.status == 403 and answer.json()["type"] == "NotAllowed"


@pytest.fixture(scope="module")
def scoped(api_farm):
    """A secret for each scope alone."""
    return {scope: user(api_farm, scope).secret for scope in ("submit", "read", "admin")}


@pytest.mark.parametrize("route", ROWS)
def test_another_tenant_finds_nothing_of_it(api_farm, other, first, things, route):
    path, body = filled(route, things)
    expected = OTHERS[f"{route.method} {route.path}"]
    answer = other.asks(route.method, path, body)
    if expected == "own":
        named = [thing for name, thing in things.items() if name != "image"]
        told = answer.data.decode(errors="replace")
        assert not any(thing in told for thing in named if thing not in path)
    else:
        assert answer.status == expected
    # And everything is there still, for whom it belongs to.
    assert first.told("GET", f"/v1/jobs/{things['job']}")["state"] == "SUCCEEDED"
    assert {one["id"] for one in first.told("GET", "/v1/uploads")} >= {things["input"]}


@pytest.fixture(scope="module")
def other(api_farm):
    """Another tenant, with a key that may do what a tenant's key may."""
    return user(api_farm, namespace="other")


def test_who_knows_the_name_of_a_body_does_not_get_it_by_another_job(other, first, things):
    other.told("POST", "/v1/images", (BLOBS / "fibonacci.bin").read_bytes())
    asked = {"image_id": things["image"], "mode": "execute"}
    own = other.told(
        "POST", "/v1/jobs", asked | {"input": other.told("POST", "/v1/inputs", stdin("one"))["id"]}
    )
    other.asks("GET", f"/v1/jobs/{own['id']}/events")
    assert other.told("GET", f"/v1/jobs/{own['id']}")["state"] == "SUCCEEDED"
    journal = other.told("GET", f"/v1/jobs/{own['id']}")["journal"]
    assert other.asks("GET", f"/v1/jobs/{own['id']}/blobs/{journal}").status == 200
    assert other.asks("GET", f"/v1/jobs/{own['id']}/blobs/{things['ref']}").status == 404
    program = first.told("GET", f"/v1/jobs/{things['job']}")["spec"]["program"]
    assert first.asks("GET", f"/v1/jobs/{things['job']}/blobs/{program}").status == 404


def test_a_key_may_come_as_a_bearer_token(first):
    token = f"Bearer {first.secret}"
    assert first.asks("GET", "/version", secret="", authorization=token).status == 200


def test_without_a_key_one_learns_only_that_the_server_is_there(first):
    assert first.asks("GET", "/health", secret="").json() == {"status": "ok"}


def test_what_is_done_and_what_is_refused_stands_in_the_audit_log(api_farm, first):
    first.told("POST", "/v1/inputs", b"noted")
    first.asks("GET", "/v1/jobs", secret="")
    lines = (api_farm.state / "audit.log").read_text().splitlines()
    done, refused = json.loads(lines[-2]), json.loads(lines[-1])
    assert (done["what"], done["status"]) == ("POST /v1/inputs", 201) and done["who"]
    assert (refused["what"], refused["status"], refused["who"]) == ("GET /v1/jobs", 401, "")
    assert first.secret not in (api_farm.state / "audit.log").read_text()
