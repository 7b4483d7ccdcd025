"""The API keys of a farm, in its ledger: by digest, so that who reads it can use none."""

import time
from collections.abc import Iterable, Sequence

import msgspec

from farm import apikey, keys
from farm.apikey import ApiKey
from farm.ledger import pairs
from farm.server import Server


class Keyring:
    """What `farm key` and the API know of keys."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def add(self, name: str, namespace: str, scopes: Iterable[str]) -> tuple[ApiKey, str]:
        """Return a new key and its secret, which nobody can be told again; raises BadInput."""
        key, secret = apikey.new(name, namespace, scopes, time.time())
        self._put(apikey.digest(secret), key)
        return key, secret

    def all(self) -> list[ApiKey]:
        """Return all keys, revoked ones too, oldest first."""
        return sorted(self._read().values(), key=lambda key: (key.created, key.id))

    def revoke(self, id: str) -> bool:
        """Return whether there is such a key; it is good for nothing from now on."""
        for name, key in self._read().items():
            if key.id == id:
                if not key.revoked:
                    self._put(name, msgspec.structs.replace(key, revoked=time.time()))
                return True
        return False

    def find(self, secrets: Sequence[str]) -> list[ApiKey | None]:
        """Return the keys with these secrets, None where there is none or it is revoked."""
        names = [apikey.digest(secret) for secret in secrets]
        texts = self._server.calls([("HMGET", keys.API_KEYS, *names)])[0] if names else []
        found = [msgspec.json.decode(text, type=ApiKey) if text else None for text in texts]
        return [None if key is None or key.revoked else key for key in found]

    def _read(self) -> dict[str, ApiKey]:
        found = pairs(self._server.calls([("HGETALL", keys.API_KEYS)])[0])
        return {name: msgspec.json.decode(text, type=ApiKey) for name, text in found.items()}

    def _put(self, name: str, key: ApiKey) -> None:
        text = msgspec.json.encode(key).decode()
        self._server.call("api_key", [keys.API_KEYS], [name, text])
