"""Bodies of any size go in and out a piece at a time, whole or not at all, within limits."""

import contextlib
import hashlib
import http.client
import json
import socket
import threading

import psutil
import pytest
from asking import user
from console import farm_in, free_port, until

pytestmark = [pytest.mark.redis, pytest.mark.host]

MIB = 1 << 20
SIZE = 1024 * MIB
#: What an API that holds no body may grow by while one passes through it.
SLACK = 64 * MIB


@pytest.fixture(scope="module")
def roomy(tmp_path_factory, host):
    """A farm that takes inputs of 1 GiB, and no more."""
    how = {"api": True, "api_port": free_port(), "input_limit": SIZE, "slots": 1, "trace_slots": 1}
    yield from farm_in(tmp_path_factory.mktemp("farm"), host=host, **how)


@pytest.fixture(scope="module")
def somebody(roomy):
    return user(roomy)


def piece(at):
    return hashlib.sha256(str(at).encode()).digest() * (MIB // 32)


def pieces(count=SIZE // MIB):
    return (piece(at) for at in range(count))


class Watched:
    """The most memory that a process has while a block runs."""

    def __init__(self, pid):
        self.process, self.most, self.over = psutil.Process(pid), 0, threading.Event()
        self.before = self.process.memory_info().rss

    def __enter__(self):
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def look(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.process.memory_info().rss)

    def __exit__(self, *exc):
        self.over.set()
        self.thread.join()

    @property
    def grown(self):
        return self.most - self.before


@contextlib.contextmanager
def sent(somebody, path, length, body, method="POST"):
    """Give a connection on which a request was sent, as far as its body goes."""
    host, _, port = somebody.url.removeprefix("http://").partition(":")
    head = f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nx-api-key: {somebody.secret}\r\n"
    with socket.create_connection((host, int(port)), 30) as sock:
        sock.sendall(f"{head}{length}\r\n\r\n".encode())
        for one in body:
            sock.sendall(one)
        yield sock


def answered(sock):
    """Return status and body of the answer that comes."""
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, json.loads(answer.read())


def drafts(farm):
    """Return what lies in the store that is no blob: bodies that are coming in."""
    return [path for path in (farm.state / "blobs").rglob(".*") if len(path.name) == 17]


def test_a_gibibyte_goes_in_and_out_in_constant_memory(roomy, somebody):
    with Watched(roomy.pid("api")) as memory:
        with sent(somebody, "/v1/inputs", f"content-length: {SIZE}", pieces()) as sock:
            status, answer = answered(sock)
        assert (status, answer["size"]) == (201, SIZE)
        id = answer["id"]
        path = f"{somebody.url}/v1/inputs/{id}"
        key = {"x-api-key": somebody.secret}
        given = somebody.pool.request("GET", path, headers=key, preload_content=False)
        assert all(given.read(MIB) == piece(at) for at in range(SIZE // MIB))
        assert given.read(1) == b""
    assert memory.grown < SLACK
    part = somebody.asks("GET", f"/v1/inputs/{id}", range=f"bytes={5 * MIB - 2}-{5 * MIB + 1}")
    assert part.status == 206 and part.data == piece(4)[-2:] + piece(5)[:2]
    assert part.headers["content-range"] == f"bytes {5 * MIB - 2}-{5 * MIB + 1}/{SIZE}"
    somebody.asks("DELETE", f"/v1/inputs/{id}")


@pytest.mark.parametrize("length", [f"content-length: {100 * MIB}", "transfer-encoding: chunked"])
def test_an_upload_that_is_broken_off_leaves_nothing(roomy, somebody, length):
    body = list(pieces(20))
    if "chunked" in length:
        body = [f"{len(one):x}\r\n".encode() + one + b"\r\n" for one in body]
    uploads = somebody.told("GET", "/v1/uploads")
    blobs = set((roomy.state / "blobs").rglob("*"))
    with sent(somebody, "/v1/inputs", length, body):
        until(lambda: drafts(roomy))
    until(lambda: not drafts(roomy))
    assert set((roomy.state / "blobs").rglob("*")) == blobs
    assert somebody.told("GET", "/v1/uploads") == uploads
    assert somebody.told("GET", "/v1/usage")["bytes"] == sum(one["size"] for one in uploads)


def test_a_body_that_says_that_it_is_too_large_is_refused_before_it_comes(roomy, somebody):
    with sent(somebody, "/v1/inputs", f"content-length: {SIZE + 1}", []) as sock:
        status, answer = answered(sock)
    assert (status, answer["type"]) == (413, "InputTooLarge")


def test_one_that_does_not_say_so_is_cut_at_the_limit(roomy, somebody):
    limit = roomy.settings.receipt_limit
    went = 0
    chunked = sent(somebody, "/v1/receipts", "transfer-encoding: chunked", [])
    with chunked as sock, pytest.raises(OSError):  # nobody reads on
        while went < 4 * limit:
            sock.sendall(f"{MIB:x}\r\n".encode() + piece(0) + b"\r\n")
            went += MIB
    # What is on its way in the buffers of the system does not count.
    assert limit - MIB <= went < limit + 64 * MIB
    until(lambda: not drafts(roomy))
    assert somebody.told("GET", "/v1/usage")["bytes"] == 0


def test_a_quota_of_bytes_holds_before_and_after(tmp_path, host):
    how = {"api": True, "api_port": free_port(), "quotas": {"*": {"bytes": 100}}, "slots": 1}
    for farm in farm_in(tmp_path, host=host, trace_slots=1, **how):
        one = user(farm)
        first = one.told("POST", "/v1/inputs", b"x" * 60)["id"]
        over = one.asks("POST", "/v1/inputs", b"y" * 60)
        assert over.status == 429 and over.json()["type"] == "OverQuota"
        assert int(over.headers["retry-after"]) > 0
        with sent(one, "/v1/inputs", "transfer-encoding: chunked", [b"3c\r\n", b"z" * 60]) as sock:
            sock.sendall(b"\r\n0\r\n\r\n")
            assert answered(sock)[0] == 429
        for kind in ("receipts", "images"):
            assert one.asks("POST", f"/v1/{kind}", b"nothing of it").status == 400
        one.asks("DELETE", f"/v1/inputs/{first}")
        one.told("POST", "/v1/inputs", b"w" * 60)
        # What was refused is not there, where nobody would count it.
        sizes = [path.name.rpartition("-")[2] for path in (farm.state / "blobs").rglob("*-*")]
        assert sizes == ["60", "60"]


def test_a_body_that_is_gone_from_the_store_may_come_again(roomy, somebody):
    assert somebody.asks("PUT", "/inputs/upload/once", b"as it was once").status == 200
    assert somebody.asks("PUT", "/inputs/upload/once", b"another").status == 204
    (path,) = (roomy.state / "blobs").rglob(hashlib.sha256(b"as it was once").hexdigest() + "*")
    path.unlink()
    assert somebody.asks("PUT", "/inputs/upload/once", b"another").status == 200
    assert somebody.asks("GET", "/v1/inputs/once").data == b"another"


def test_ranges_as_clients_ask_for_them(somebody):
    id = somebody.told("POST", "/v1/inputs", b"0123456789")["id"]
    path = f"/v1/inputs/{id}"
    tag = somebody.asks("GET", path).headers["etag"]
    for asked, status, body in (
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=5-100", 206, b"56789"),
        ("bytes=10-", 416, b""),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=0-1,4-5", 200, b"0123456789"),
        ("pages=1-2", 200, b"0123456789"),
    ):
        answer = somebody.asks("GET", path, range=asked)
        assert (answer.status, answer.data) == (status, body), asked
    assert somebody.asks("GET", path, range="bytes=2-4", if_range=tag).data == b"234"
    assert somebody.asks("GET", path, range="bytes=2-4", if_range='"other"').status == 200


def test_a_body_that_has_changed_in_the_store_is_not_given_out(roomy, somebody):
    id = somebody.told("POST", "/v1/inputs", b"as it was")["id"]
    (path,) = (roomy.state / "blobs").rglob(hashlib.sha256(b"as it was").hexdigest() + "*")
    path.write_bytes(b"as it is.")
    answer = somebody.asks("GET", f"/v1/inputs/{id}")
    assert answer.status == 404 and answer.json()["type"] == "BlobMissing"
