"""What an API key is and may do. Pure but for its randomness; only the digest of one is kept."""

import secrets
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from farm.errors import BadInput
from farm.job import new_id

#: What a key may do: hand things in; look at what is there; look after the farm's keys.
SCOPES = ("submit", "read", "admin")
#: What the secrets of keys begin with, so that one that leaks is known for what it is.
MARK = "farm_"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key; times are unix seconds."""

    id: str
    #: What its owner calls it.
    name: str
    #: Whose jobs its holder submits and sees.
    namespace: str
    scopes: list[str]
    created: float
    #: 0 while it is good.
    revoked: float = 0


def new(name: str, namespace: str, scopes: Iterable[str], now: float) -> tuple[ApiKey, str]:
    """Return a new key and its secret, which is known to nobody else.

    Raises BadInput for a scope that there is not, for none, and for a namespace that cannot be.
    """
    asked = set(scopes)
    if not asked or not asked <= set(SCOPES):
        given = ", ".join(sorted(asked)) or "none"
        raise BadInput(f"API key: scopes are {', '.join(SCOPES)}; {given} given")
    known = [scope for scope in SCOPES if scope in asked]
    if not namespace or ":" in namespace:
        raise BadInput(f"API key: namespace {namespace!r} is empty or holds a colon")
    key = ApiKey(id=new_id("k"), name=name, namespace=namespace, scopes=known, created=now)
    return key, MARK + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """Return the name under which a key is kept: 256 random bits need no slower one."""
    return sha256(secret.encode()).hexdigest()
