"""Ask the farm's processes whether they are there: servers, workers' slots, Flower."""

import contextlib
import socket
from collections.abc import Sequence
from ipaddress import ip_address

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from farm import embedded, keys
from farm.child import Child
from farm.errors import LedgerDown
from farm.ledger import Ledger
from farm.processes import Stage
from farm.settings import Settings

#: Seconds one question may take; it is asked again.
PATIENCE = 2.0
ONCE = Retry(NoBackoff(), 0)


class Probe:
    """Knows how each kind of process answers."""

    def __init__(self, settings: Settings, servers: Sequence[embedded.Server]) -> None:
        self._settings = settings
        self._servers = {server.name: server for server in servers}
        self._ledger: Ledger | None = None

    def answered(self, children: Sequence[Child]) -> set[str]:
        """Return the names of those that have answered."""
        slots = self._slots() if any(child.process.slot for child in children) else {}
        return {child.process.name for child in children if self._answers(child, slots)}

    def _answers(self, child: Child, slots: dict[str, int]) -> bool:
        if not child.pid:
            return False
        match child.process.stage:
            case Stage.SERVER:
                return self._pings(self._servers[child.process.name])
            case Stage.WORKER:
                # A slot left over from an earlier farm has another process behind it.
                return slots.get(child.process.slot) == child.pid
            case Stage.FLOWER:
                return _listens("127.0.0.1", self._settings.flower_port)
            case Stage.API:
                return _listens(_reached(self._settings.api_address), self._settings.api_port)
            case Stage.SCHEDULER:
                return self._is_scheduled()

    def _pings(self, server: embedded.Server) -> bool:
        with contextlib.suppress(redis.RedisError, LedgerDown):
            client = redis.Redis.from_url(server.url(), socket_timeout=PATIENCE, retry=ONCE)
            with contextlib.closing(client):
                return bool(client.ping())
        return False

    def _slots(self) -> dict[str, int]:
        """Return which process stands behind each slot."""
        with contextlib.suppress(LedgerDown):
            return {slot.name: slot.pid for slot in self._asked().slots()}
        return {}

    def _is_scheduled(self) -> bool:
        """Tell whether a scheduler is in charge: ours, or another machine's."""
        with contextlib.suppress(LedgerDown):
            return bool(self._asked().calls([("EXISTS", keys.SCHEDULER)])[0])
        return False

    def _asked(self) -> Ledger:
        self._ledger = self._ledger or Ledger.at(embedded.urls(self._settings).ledger)
        return self._ledger


def _listens(address: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((address, port), PATIENCE):
        return True
    return False


def _reached(address: str) -> str:
    """Return where to reach what listens on an address, or on all of this machine."""
    known = ip_address(address)
    if not known.is_unspecified:
        return address
    return "::1" if known.version == 6 else "127.0.0.1"
