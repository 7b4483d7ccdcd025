"""Ask the API of a farm that is known by its URL: requests, and its errors as our own."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import urllib3
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout

from farm import address
from farm.errors import ApiFailed, BadSetting, FarmError, LedgerDown

#: Seconds until a connection is there, and between two pieces of an answer.
TIMEOUT = Timeout(connect=5, read=60)
#: What may be asked twice is, when a connection breaks; each such request has a name of its own,
#: or does the same when done again.
RETRY = Retry(3, backoff_factor=0.2, allowed_methods=None, status=0, redirect=0)


def is_remote(url: str) -> bool:
    """Return whether a farm at `url` is asked by way of its API."""
    return url.startswith(("http://", "https://"))


class Http:
    """The API at one URL, asked with one key. Safe to use from several threads."""

    def __init__(self, url: str, key: str) -> None:
        if not key:
            raise BadSetting(
                "api_key", f"{address.shown(url)} wants a key; `farm key add` makes one"
            )
        self._url, self._shown = url.rstrip("/"), address.shown(url)
        self._headers = {"x-api-key": key}
        self._pool = urllib3.PoolManager(timeout=TIMEOUT, retries=RETRY, maxsize=16)

    def close(self) -> None:
        """Close the connections; the next request opens them again."""
        self._pool.clear()

    def get(self, path: str, query: Mapping[str, object] | None = None) -> bytes:
        """Return the body of an answer."""
        fields = {name: str(value) for name, value in (query or {}).items()}
        return self._ask("GET", path, fields=fields)

    def post(self, path: str, body: bytes = b"") -> bytes:
        """Return what is answered to a body."""
        return self._ask("POST", path, body=body)

    def send(self, path: str, body: object) -> bytes:
        """Return what is answered to a body that is sent as JSON."""
        return self.post(path, msgspec.json.encode(body))

    def _ask(self, method: str, path: str, **how: Any) -> bytes:
        """Return a good answer's body; raises what the farm says, or LedgerDown without one."""
        try:
            answer = self._pool.request(method, self._url + path, headers=self._headers, **how)
        except HTTPError as error:
            raise LedgerDown(self._shown, error) from error
        if answer.status < 300:
            return answer.data
        raise self._error(answer.status, answer.data)

    def _error(self, status: int, body: bytes) -> FarmError:
        try:
            said = json.loads(body)
            return FarmError.named(said["type"], said["facts"])
        except (ValueError, LookupError, TypeError):
            text = body[:200].decode(errors="replace").strip() or "nothing"
            return ApiFailed(self._shown, status, text)
