"""Talk to the ledger's server: connect, load the functions, call them, name what goes wrong.

Works with Valkey and with Redis from 7.0. The functions are loaded when a call finds them
missing, under a name made from their text: two versions of the farm can share a server.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import redis
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import NoPermissionError, OutOfMemoryError, ReadOnlyError
from redis.retry import Retry

from farm import address
from farm.errors import BadSetting, Busy, FarmError, LedgerDown, UnsafeLedger, WrongPassword
from farm.packer import Packer

#: Longest that one call may take; blocking reads ask for less.
TIMEOUT_SECONDS = 15
#: Longest blocking read, in milliseconds.
LONGEST_BLOCK = 10_000
#: What helps against a server that throws keys away.
ADVICE = "set maxmemory-policy noeviction"
_FILES = ("common", "tenant", "client", "worker", "scheduler", "sweep")


@cache
def _library() -> tuple[str, str]:
    folder = Path(__file__).parent / "lua"
    text = "\n".join((folder / f"{name}.lua").read_text() for name in _FILES)
    version = "farm_" + sha256(text.encode()).hexdigest()[:12]
    return version, f"#!lua name={version}\n" + text.replace("@VERSION@", version)


def functions() -> str:
    """Return the name under which a server has the functions: made from their text."""
    return _library()[0]


def connect(url: str) -> "redis.Redis":
    """Return a client of the server at `url` (redis://, rediss:// or unix://).

    It connects at its first command. Raises BadSetting for an address it cannot read.
    """
    # A Unix socket takes no such option.
    options = {} if url.startswith("unix:") else {"socket_keepalive": True}
    try:
        return redis.Redis.from_url(
            url,
            decode_responses=True,
            protocol=2,
            command_packer=Packer(),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=3,
            health_check_interval=15,
            # Every call may be sent twice: the functions are written for it.
            retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=1), 3),
            **options,
        )
    except ValueError:
        # Its text may hold a piece of a password: neither shown nor kept as the cause.
        why = f"{address.shown(url)!r} cannot be read; a password's / : @ ? # are escaped (%2F ..)"
        raise BadSetting("ledger_url", why) from None


@contextlib.contextmanager
def named_errors(where: str) -> Iterator[None]:
    """Raise the farm's own error for what the server or the way to it does wrong."""
    try:
        yield
    except redis.AuthenticationError as error:
        raise WrongPassword(where) from error
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise LedgerDown(where, str(error).rstrip(".")) from error
    except redis.ResponseError as error:
        if named := _answered(where, error):
            raise named from error
        raise


def _answered(where: str, error: redis.ResponseError) -> FarmError | None:
    # By class: the client takes the code off the text of those it has a class for.
    if isinstance(error, NoPermissionError):
        return WrongPassword(where)
    if isinstance(error, OutOfMemoryError):
        return Busy("the ledger's memory", "maxmemory", 30)
    if isinstance(error, ReadOnlyError) or str(error).startswith("MISCONF"):
        return UnsafeLedger(where, "cannot write", error)
    return None


class Server:
    """The functions of one ledger; `Ledger`, `Steps` and `Book` say which to call with what."""

    def __init__(self, client: "redis.Redis", where: str = "") -> None:
        self.client: Any = client
        #: Whether the ledger has answered this process before: then an outage is waited out.
        self.answered = False
        kwargs = client.connection_pool.connection_kwargs
        self.where = where or str(
            kwargs.get("path") or f"{kwargs.get('host')}:{kwargs.get('port')}"
        )

    @classmethod
    def at(cls, url: str) -> Self:
        """Return one that talks to the server at `url`."""
        return cls(connect(url), address.shown(url))

    def load(self) -> None:
        """Give the functions to the server, unless it has them."""
        with named_errors(self.where):
            try:
                self.client.function_load(_library()[1])
            except redis.ResponseError as error:
                if "already exists" not in str(error):
                    raise

    def call(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """Return what the function `name` answers."""
        return self.calls([self.command(name, keys, args)])[0]

    def command(self, name: str, keys: Sequence[str], args: Sequence[Any]) -> tuple[Any, ...]:
        """Return the command that calls the function `name`."""
        return ("FCALL", f"{_library()[0]}_{name}", len(keys), *keys, *args)

    def calls(
        self, commands: Sequence[tuple[Any, ...]], *, lenient: bool = False, atomic: bool = False
    ) -> list[Any]:
        """Return the answers to commands sent over one connection in one go.

        A lenient caller gets an error the server answers in the place of the answer; nothing
        happens between the commands of an atomic one.
        """
        with named_errors(self.where):
            answers = self._send(commands, atomic)
            if any(_missing(answer) for answer in answers):
                self.load()
                answers = self._send(commands, atomic)
            self.answered = True
            for answer in answers:
                if isinstance(answer, Exception) and not lenient:
                    raise answer
            return answers

    def _send(self, commands: Sequence[tuple[Any, ...]], atomic: bool) -> list[Any]:
        pipeline = self.client.pipeline(transaction=atomic)
        for command in commands:
            pipeline.execute_command(*command)
        return list(pipeline.execute(raise_on_error=False))

    def info(self) -> dict[str, Any]:
        """Return all that the server says of itself."""
        with named_errors(self.where):
            facts: dict[str, Any] = self.client.info("everything")
        return facts

    def check(self) -> str:
        """Return a warning about what the server may lose, empty if nothing.

        Raises UnsafeLedger for one that throws keys away or cannot run the functions.
        """
        facts = self.info()
        if int(str(facts.get("redis_version", "0")).partition(".")[0]) < 7:
            raise UnsafeLedger(self.where, "is older than Redis 7.0", "use Valkey or a newer Redis")
        if policy := evicting(facts):
            raise UnsafeLedger(self.where, f"evicts keys ({policy})", ADVICE)
        self.load()
        return self._durability(bool(facts.get("aof_enabled")))

    def _durability(self, appends: bool) -> str:
        if not appends:
            return "the ledger keeps no append-only file: accepted work is lost when it stops"
        known, fsync = self.calls(
            [("WAITAOF", 0, 0, 0), ("CONFIG", "GET", "appendfsync")], lenient=True
        )
        if not isinstance(known, Exception) or "always" in str(fsync):
            return ""
        return "everysec: up to 2 s of accepted work can be lost on power loss"


def evicting(facts: Mapping[str, Any]) -> str:
    """Return by which policy a server throws keys away once its memory is full, "" for none."""
    policy = str(facts.get("maxmemory_policy", "noeviction"))
    return policy if facts.get("maxmemory") and policy != "noeviction" else ""


def _missing(answer: object) -> bool:
    return isinstance(answer, redis.ResponseError) and "Function not found" in str(answer)
