"""The farm's own API for API keys, for those whose key has the scope admin."""

from typing import Annotated, Literal

import msgspec
from starlette.responses import Response

from farm.api import answers
from farm.api.call import Call
from farm.api.fields import Namespace, Title
from farm.apikey import ApiKey
from farm.errors import UnknownUpload
from farm.keyring import Keyring


class NewKey(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The key that is to be made."""

    name: Title
    namespace: Namespace
    scopes: Annotated[list[Literal["submit", "read", "admin"]], msgspec.Meta(min_length=1)]


class MadeKey(msgspec.Struct):
    """A new key, and its secret, which is told once."""

    key: ApiKey
    secret: str


async def add(call: Call) -> Response:
    """Make a key."""
    asked = await call.json(NewKey)
    ring = Keyring(call.api.ledger)
    key, secret = await call.thread(ring.add, asked.name, asked.namespace, asked.scopes)
    return answers.json(MadeKey(key, secret), 201)


async def listing(call: Call) -> Response:
    """List all keys, revoked ones too, without their secrets."""
    return answers.json(await call.thread(Keyring(call.api.ledger).all))


async def revoke(call: Call) -> Response:
    """Make a key good for nothing, within a second."""
    id = call.part("id")
    if not await call.thread(Keyring(call.api.ledger).revoke, id):
        raise UnknownUpload("API key", id)
    return Response(status_code=204)
