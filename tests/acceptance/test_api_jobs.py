"""The farm's own API: jobs with all that can be asked of them, lists, events, limits, TLS."""

import json
import ssl
import subprocess
import threading
import time

import pytest
import urllib3
from asking import User, user
from console import farm_in, free_port, until
from goldens import BLOBS, GOLDEN, IMAGES, PO2, receipt, stdin

pytestmark = [pytest.mark.redis, pytest.mark.host]


@pytest.fixture(scope="module")
def somebody(api_farm):
    """A tenant who has uploaded a program."""
    one = user(api_farm, namespace="jobs")
    one.told("POST", "/v1/images", (BLOBS / "fibonacci.bin").read_bytes())
    return one


def job(one, session, **how):
    """Return a new job of a golden session."""
    input = one.told("POST", "/v1/inputs", stdin(session))["id"]
    return one.told("POST", "/v1/jobs", {"image_id": IMAGES["fibonacci"], "input": input} | how)


def events(one, id, **headers):
    """Return what a stream of events tells, as lines of data."""
    text = one.asks("GET", f"/v1/jobs/{id}/events", **headers).data.decode()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


def test_a_job_is_told_from_its_beginning_to_its_end(somebody):
    made = job(somebody, "two", labels={"team": "a"})
    assert made["state"] in ("ACCEPTED", "RUNNING") and made["spec"]["labels"] == {"team": "a"}
    told = events(somebody, made["id"])
    assert [one["state"] for one in told][-1] == "SUCCEEDED"
    assert max(one["segments"] for one in told) == 2
    # Who was cut off goes on where that was.
    rest = events(somebody, made["id"], last_event_id=told[1]["id"])
    assert rest == told[2:]
    found = somebody.asks("GET", f"/v1/jobs/{made['id']}/receipt")
    assert found.data == receipt("two")
    assert somebody.told("GET", f"/v1/jobs/{made['id']}/changes") == told


def test_who_waits_for_a_change_is_told_at_once(somebody):
    made = job(somebody, "lucas", mode="execute")
    events(somebody, made["id"])
    last = somebody.told("GET", f"/v1/jobs/{made['id']}/changes")[-1]["id"]
    start = time.monotonic()
    found = somebody.told("GET", f"/v1/jobs/{made['id']}/changes?after={last}&wait=1.5")
    assert found == [] and time.monotonic() - start >= 1.4


def test_jobs_are_listed_and_found_a_page_at_a_time(api_farm):
    one = user(api_farm, namespace="lists")
    one.told("POST", "/v1/images", (BLOBS / "fibonacci.bin").read_bytes())
    made = [
        job(one, "one", mode="execute", labels={"n": str(n), "even": str(n % 2)})["id"]
        for n in range(7)
    ]
    for id in made:
        events(one, id)
    list_of = lambda query: one.told("GET", f"/v1/jobs?{query}")  # noqa: E731
    ids = lambda page: [view["id"] for view in page["jobs"]]  # noqa: E731
    first = list_of("limit=3")
    rest = list_of(f"limit=10&after={first['next']}")
    assert ids(first) + ids(rest) == made[::-1] and rest["next"] == ""
    assert ids(list_of("label=even=0")) == made[::-1][::2]
    assert ids(list_of("label=even=0,n=2")) == [made[2]]
    assert ids(list_of("label=n")) == made[::-1] and ids(list_of("label=odd")) == []
    assert ids(list_of("state=SUCCEEDED&mode=execute")) == made[::-1]
    assert ids(list_of("state=FAILED")) == ids(list_of("mode=trace")) == []
    assert one.asks("GET", "/v1/jobs?after=nobody").status == 400


def test_stdin_travels_with_the_job_and_what_makes_no_sense_is_refused(somebody):
    asked = {"image_id": IMAGES["fibonacci"], "stdin": "", "mode": "execute"}
    both = somebody.asks("POST", "/v1/jobs", asked | {"input": "u1", "stdin": "AAAA"})
    assert both.status == 400 and both.json()["type"] == "BadInput"
    unknown = somebody.asks("POST", "/v1/jobs", asked | {"colour": "red"})
    assert unknown.status == 400 and "colour" in unknown.json()["msg"]
    far = somebody.asks("POST", "/v1/jobs", asked | {"cycle_limit": (1 << 36) + 1})
    assert far.status == 400 and "over the farm's limit" in far.json()["msg"]
    gone = somebody.asks("POST", "/v1/jobs", asked | {"image_id": "ab" * 32})
    assert gone.status == 404 and gone.json()["type"] == "UnknownUpload"


def test_one_key_one_job(somebody):
    first = job(somebody, "one", idempotency_key="k1")
    assert job(somebody, "one", idempotency_key="k1")["id"] == first["id"]
    other = somebody.told("POST", "/v1/inputs", stdin("seven"))["id"]
    asked = {"image_id": IMAGES["fibonacci"], "input": other, "idempotency_key": "k1"}
    assert somebody.asks("POST", "/v1/jobs", asked).status == 400


def test_a_batch_of_traces(somebody):
    asked = {"program": "fib.v0", "rounds": [10, 0, 20]}
    id = somebody.told("POST", "/v1/batches", asked)["id"]
    until(lambda: somebody.told("GET", f"/v1/batches/{id}")["state"] == "SUCCEEDED")
    rows = somebody.told("GET", f"/v1/batches/{id}/results")
    assert [row["output"] for row in rows] == [55, 0, 6765]
    assert "at least one round" in rows[1]["error"] and len(rows[0]["commitment"]) == 64


def test_members_of_a_set_and_the_proof_of_each(somebody):
    members = [job(somebody, "one")["id"]]
    members.append(somebody.told("POST", "/v1/receipts", receipt("compose"))["id"])
    made = somebody.told("POST", "/v1/sets", {"members": members, "po2": 18})
    assert events(somebody, made["id"])[-1]["state"] == "SUCCEEDED"
    told = somebody.told("GET", f"/v1/jobs/{made['id']}/members")
    assert [one["error"] for one in told] == ["", ""] and all(one["path"] for one in told)


def test_a_receipt_that_proves_nothing_is_not_taken(somebody):
    for body in (b"nothing", receipt("one")[:-1], (GOLDEN / "receipt-fake.bin").read_bytes()):
        assert somebody.asks("POST", "/v1/receipts", body).status == 400


@pytest.fixture
def limited(tmp_path, host):
    """A farm where tenants may do little, with a certificate of its own."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    made += ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    made += ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(made, check=True, capture_output=True)
    quota = {"jobs": 1, "cycles": 30_000, "rate": 20, "streams": 1}
    how = {"replay": str(GOLDEN), "replay_delay_ms": 1500, "segment_po2": PO2}
    how |= {"api": True, "api_port": free_port(), "quotas": {"*": quota}}
    how |= {"api_certificate": str(tmp_path / "cert.pem")}
    how |= {"api_certificate_key": str(tmp_path / "key.pem"), "api_url": "https://farm.example"}
    yield from farm_in(tmp_path, host=host, **how)


def test_quotas_rates_and_streams_hold_over_tls(limited, tmp_path):
    secret = user(limited).secret
    one = User(f"https://127.0.0.1:{limited.settings.api_port}", secret)
    trust = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    one.pool = urllib3.PoolManager(ssl_context=trust)
    image = one.told("POST", "/v1/images", (BLOBS / "fibonacci.bin").read_bytes())["id"]
    assert one.told("GET", "/inputs/upload")["url"].startswith("https://farm.example/inputs/")
    first = job(one, "two")
    asked = {"image_id": image, "stdin": ""}
    second = one.asks("POST", "/v1/jobs", asked)
    assert second.status == 429 and "1 open jobs" in second.json()["msg"]
    third = one.asks("POST", "/v1/sets", {"members": [first["id"]]})
    assert third.status == 429 and third.json()["type"] == "OverQuota"
    stream = threading.Thread(target=lambda: one.asks("GET", f"/v1/jobs/{first['id']}/events"))
    stream.start()
    time.sleep(0.5)
    assert one.asks("GET", f"/v1/jobs/{first['id']}/events").json()["type"] == "TooFast"
    stream.join()
    # Its 81,920 cycles are more than a day's; what has been proved is given again.
    spent = one.asks("POST", "/v1/jobs", asked)
    assert spent.status == 429 and int(spent.headers["retry-after"]) <= 86401
    assert "cycles a day" in spent.json()["msg"]
    assert job(one, "two")["state"] == "SUCCEEDED"
    used = one.told("GET", "/v1/usage")
    assert (used["jobs"], used["cycles_today"]) == (0, 81920)
    answers = [one.asks("GET", "/version") for _ in range(80)]
    refused = [answer for answer in answers if answer.status == 429]
    assert refused and refused[0].headers["retry-after"] == "1"
    assert refused[0].json()["type"] == "TooFast"


def test_urls_are_those_by_which_a_proxy_was_asked(somebody):
    url = lambda **headers: somebody.told("GET", "/inputs/upload", **headers)["url"]  # noqa: E731
    assert url().startswith(somebody.url + "/")
    assert url(host="farm.test:1").startswith("http://farm.test:1/")
    said = {"x_forwarded_proto": "https", "x_forwarded_host": "a.test, b.test"}
    assert url(**said).startswith("https://a.test/")


def test_the_farm_says_where_its_api_is(api_farm):
    told = api_farm.types("status").stdout + (api_farm.state / "farm.json").read_text()
    assert f"http://127.0.0.1:{api_farm.settings.api_port}" in told
