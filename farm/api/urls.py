"""How a client reaches this farm: what the URLs in an answer begin with."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

from farm import settings as config
from farm.settings import Settings


class Urls:
    """Makes absolute URLs, by the setting `api_url` or by what a request says.

    What a proxy says of the client's side counts only from those named in `api_proxies`.
    """

    def __init__(self, settings: Settings) -> None:
        self._public = settings.api_url.rstrip("/")
        self._proxies = config.networks(settings.api_proxies)

    def of(self, request: Request, path: str) -> str:
        """Return the URL of a path as the client of a request can reach it."""
        return f"{self._public or self._seen(request)}{path}"

    def _seen(self, request: Request) -> str:
        scheme, host = request.url.scheme, request.headers.get("host", "")
        peer = request.client.host if request.client else ""
        if _is_in(peer, self._proxies):
            scheme = _first(request.headers.get("x-forwarded-proto", "")) or scheme
            host = _first(request.headers.get("x-forwarded-host", "")) or host
        return f"{scheme}://{host}"


def _first(listed: str) -> str:
    # Each proxy adds its own at the end: the first is what the client itself used.
    return listed.partition(",")[0].strip()


def _is_in(peer: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:  # a Unix socket
        return False
    return any(address in network for network in networks)
