"""Addresses of Redis and Valkey servers: another database, Celery's spelling, no password shown."""

from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from farm.errors import BadSetting

SCHEMES = ("redis", "rediss", "unix")


def is_redis(url: str) -> bool:
    """Return whether a server is Redis or Valkey; Celery knows others, too."""
    return url.partition(":")[0] in SCHEMES


def beside(url: str, by: int) -> str:
    """Return the address of the database `by` numbers further on the same server."""
    parts = _split(url)
    query = dict(parse_qsl(parts.query))
    inline = parts.path.strip("/") if parts.scheme != "unix" else ""
    try:
        number = int(query.pop("db", "") or inline or 0) + by
    except ValueError:
        raise BadSetting("ledger_url", f"the database of {shown(url)!r} is not a number") from None
    if parts.scheme == "unix":
        return _on_socket("unix", parts, query | {"db": str(number)})
    return parts._replace(path=f"/{number}", query=urlencode(query)).geturl()


def for_celery(url: str) -> str:
    """Return `url` as Celery spells it: only Unix sockets differ."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    query = dict(parse_qsl(parts.query))
    query["virtual_host"] = query.pop("db", "0")
    return _on_socket("redis+socket", parts, query)


def shown(url: str) -> str:
    """Return `url` without its password, for texts."""
    head, mark, tail = url.partition("://")
    scheme, rest = (head, tail) if mark else ("", url)
    # A password may hold any unescaped character: all before the last @ is left out.
    secret, _, where = rest.rpartition("@")
    # With a ? before it, nobody knows whether the @ is of a user or of an option's value.
    where = "..." if "?" in secret else where.partition("?")[0]
    return f"{scheme}://{where}" if scheme else where


def _on_socket(scheme: str, parts: SplitResult, query: dict[str, str]) -> str:
    # Put together by hand: geturl() drops the slashes around an empty host.
    return f"{scheme}://{parts.netloc}{parts.path}?{urlencode(query)}"


def _split(url: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise BadSetting("ledger_url", f"{shown(url)!r} is not redis://, rediss:// or unix://")
    return parts
