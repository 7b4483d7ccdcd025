"""The farm's own servers: durable, closed to others, found through the state folder."""

import contextlib
import stat
import subprocess
import time

import kombu
import psutil
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from farm import embedded, up
from farm.errors import LedgerDown, UnsafeLedger, WrongPassword
from farm.server import Server
from farm.settings import Settings


@contextlib.contextmanager
def running(server, *options):
    process = subprocess.Popen([*server.command(), *options], stdout=subprocess.DEVNULL)
    try:
        until_it_answers(server)
        yield process
    finally:
        process.kill()
        process.wait()


def until_it_answers(server):
    for _ in range(500):
        with (
            contextlib.suppress(redis.ConnectionError, LedgerDown),
            redis.Redis.from_url(server.url()) as client,
        ):
            return client.ping()
        time.sleep(0.02)
    raise AssertionError(f"{server.name} did not answer")


@pytest.fixture
def settings(tmp_path):
    tmp_path.chmod(0o700)
    return Settings(state=tmp_path / "state", flower=False)


@pytest.fixture
def both(settings):
    servers = embedded.servers(settings)
    for server in servers:
        server.prepare()
    with running(servers[0]), running(servers[1]):
        yield servers


def test_the_three_addresses_are_three_places(settings, both):
    urls = embedded.urls(settings)
    with redis.Redis.from_url(urls.ledger) as ledger, redis.Redis.from_url(urls.scratch) as scratch:
        ledger.set("here", "ledger")
        assert scratch.get("here") is None
    with kombu.Connection(urls.broker) as broker:
        queue = broker.SimpleQueue("q")
        queue.put("hello")
        assert queue.get(timeout=5).payload == "hello"
        queue.close()


def test_the_ledger_keeps_what_it_was_given_through_kill_9(settings):
    ledger, _ = embedded.servers(settings)
    ledger.prepare()
    with running(ledger) as process:
        with redis.Redis.from_url(ledger.url()) as client:
            for number in range(50):
                client.set(f"job:{number}", number)
        process.kill()
    ledger.prepare()
    with running(ledger), redis.Redis.from_url(ledger.url()) as client:
        assert client.dbsize() == 50


def test_the_ledger_is_as_safe_as_contract_one_asks(settings, both):
    assert Server.at(embedded.urls(settings).ledger).check() == ""
    for server in both:
        with redis.Redis.from_url(server.url()) as client:
            assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "noeviction"


def test_nobody_else_gets_in(settings, both):
    password = (settings.state / "password").read_text()
    for server in both:
        socket = str(server.folder / "server.sock")
        stranger = redis.Redis(unix_socket_path=socket, retry=Retry(NoBackoff(), 0))
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        assert stat.S_IMODE((server.folder / "server.sock").stat().st_mode) == 0o700
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.config.stat().st_mode) == 0o600
    everybody = psutil.process_iter(["cmdline"])
    ours = [p for p in everybody if str(settings.state) in " ".join(p.info["cmdline"] or [])]
    assert len(ours) == 2
    assert not any(password in " ".join(process.cmdline()) for process in ours)
    assert not any(process.net_connections("inet") for process in ours)


def test_a_state_folder_with_spaces_and_a_long_name_works(tmp_path):
    state = tmp_path / ('a "b" ' + "long" * 20)
    settings = Settings(state=state)
    ledger, scratch = embedded.servers(settings)
    ledger.prepare()
    scratch.prepare()
    with running(ledger), running(scratch), kombu.Connection(embedded.urls(settings).broker) as one:
        one.connect()
    ledger.tidy()
    scratch.tidy()


@pytest.fixture
def given(settings, tmp_path):
    """Return a maker of settings that name a server of the operator's."""
    server = embedded.Server("ledger", tmp_path / "operator")
    server.prepare()
    with contextlib.ExitStack() as stack:

        def make(*options):
            stack.enter_context(running(server, *options))
            return settings.model_copy(update={"ledger_url": server.url()})

        yield make


def test_a_given_ledger_that_is_safe_passes(given):
    assert up.check_servers(given()) == ""


def test_a_given_ledger_that_evicts_is_refused(given):
    settings = given("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with pytest.raises(UnsafeLedger, match="noeviction"):
        up.check_servers(settings)


def test_a_given_ledger_without_a_file_is_warned_of(given):
    assert "accepted work is lost" in up.check_servers(given("--appendonly", "no"))


def test_a_wrong_password_is_said_without_showing_it(given):
    settings = given()
    where = settings.ledger_url.partition("@")[2]
    wrong = settings.model_copy(update={"ledger_url": f"unix://:guess@{where}"})
    with pytest.raises(WrongPassword) as caught:
        up.check_servers(wrong)
    assert "guess" not in str(caught.value)


def test_a_given_ledger_that_is_down_is_said(settings):
    settings = settings.model_copy(update={"ledger_url": "unix:///nowhere/sock"})
    with pytest.raises(LedgerDown, match="/nowhere/sock"):
        up.check_servers(settings)
