"""Let requests in: by their key, its scopes, and how often it asks."""

import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request

from farm import quota
from farm.apikey import ApiKey
from farm.errors import NoKey, NotAllowed, TooFast
from farm.quota import Pacer, Quota

#: Seconds that a key which was found is believed: a revoked one is refused by then.
BELIEVED = 1.0
#: Most keys that are remembered.
MOST = 10_000

#: Finds the key with a secret.
Find = Callable[[str], Awaitable[ApiKey | None]]


class Gate:
    """Knows who may come in; `quotas` are those of the farm's tenants."""

    def __init__(self, find: Find, quotas: dict[str, Quota]) -> None:
        self._find, self._quotas = find, quotas
        self._known: dict[str, tuple[ApiKey, float]] = {}
        self._pacers: dict[str, Pacer] = {}

    async def enter(self, request: Request, scope: str) -> ApiKey:
        """Return the key of a request; raises NoKey, NotAllowed or TooFast."""
        secret = _secret(request)
        if not secret:
            raise NoKey("none came with the request")
        key = await self._key(secret)
        if key is None:
            raise NoKey("that of the request is none of this farm's, or revoked")
        if scope not in key.scopes:
            raise NotAllowed(key.id, scope)
        self._pace(key)
        return key

    def quota(self, namespace: str) -> Quota:
        """Return what a tenant may use."""
        return quota.of(self._quotas, namespace)

    async def _key(self, secret: str) -> ApiKey | None:
        known = self._known.get(secret)
        if known and time.monotonic() - known[1] < BELIEVED:
            return known[0]
        asked = time.monotonic()
        key = await self._find(secret)
        self._known.pop(secret, None)
        if key:
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[secret] = key, asked
        return key

    def _pace(self, key: ApiKey) -> None:
        rate = self.quota(key.namespace).rate
        if not rate:
            return
        if key.id not in self._pacers:
            if len(self._pacers) >= MOST:
                self._pacers.clear()
            self._pacers[key.id] = Pacer(rate)
        if wait := self._pacers[key.id].wait(time.monotonic()):
            raise TooFast(f"API key {key.id}", f"{rate:g}", round(wait, 3))


def _secret(request: Request) -> str:
    if given := request.headers.get("x-api-key"):
        return given
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if kind.lower() == "bearer" else ""
