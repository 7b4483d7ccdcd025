"""What clients of the API have uploaded: programs, inputs and receipts, each tenant's own."""

from collections.abc import Sequence
from typing import Literal

import msgspec

from farm import keys
from farm.errors import OverQuota, UnknownUpload
from farm.job import new_id
from farm.ledger import pairs
from farm.server import Server

#: Programs are called images here, as the Bonsai API has it; receipts are for guests to rely on.
Kind = Literal["image", "input", "receipt"]
#: When to come back once something was deleted, in seconds.
RETRY_SECONDS = 60


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """One body that was uploaded."""

    #: An image's is its image id.
    id: str
    kind: Kind
    #: Its reference in the blob store, and its bytes.
    ref: str
    size: int
    #: Unix time.
    created: float


class Uploads:
    """The uploads of one tenant: another's are not there."""

    def __init__(self, server: Server, namespace: str) -> None:
        self._server, self._namespace = server, namespace
        self._key = keys.uploads(namespace)

    def add(self, upload: Upload, cap: int = 0) -> bool:
        """Return whether it is new. Raises OverQuota for more than `cap` bytes in all (0: any)."""
        text = msgspec.json.encode(upload).decode()
        args = [_name(upload.kind, upload.id), text, upload.size, self._namespace, cap or ""]
        answer = self._server.call("upload", [self._key, keys.TENANTS], args)
        if answer == "FULL":
            raise OverQuota(self._namespace, f"{cap} bytes of uploads", RETRY_SECONDS)
        return bool(answer == "NEW")

    def drop(self, kind: Kind, id: str) -> None:
        """Forget an upload; its blob goes once no job needs it. Raises UnknownUpload."""
        args = [_name(kind, id), self._namespace]
        if self._server.call("drop_upload", [self._key, keys.TENANTS], args) != "OK":
            raise UnknownUpload(kind, id)

    def find(self, kind: Kind, id: str) -> Upload | None:
        """Return the upload, None where there is none."""
        return self.find_all([(kind, id)])[0]

    def find_all(self, asked: Sequence[tuple[Kind, str]]) -> list[Upload | None]:
        """Return the uploads by their kinds and ids, None for one that is not there."""
        if not asked:
            return []
        names = [_name(kind, id) for kind, id in asked]
        texts = self._server.calls([("HMGET", self._key, *names)])[0]
        return [msgspec.json.decode(text, type=Upload) if text else None for text in texts]

    def get(self, kind: Kind, id: str) -> Upload:
        """Return the upload; raises UnknownUpload."""
        found = self.find(kind, id)
        if found is None:
            raise UnknownUpload(kind, id)
        return found

    def all(self) -> list[Upload]:
        """Return all of them, oldest first."""
        texts = pairs(self._server.calls([("HGETALL", self._key)])[0]).values()
        found = [msgspec.json.decode(text, type=Upload) for text in texts]
        return sorted(found, key=lambda one: (one.created, one.id))


def new_name() -> str:
    """Return the id of a new input or receipt."""
    return new_id("u")


def _name(kind: Kind, id: str) -> str:
    return f"{kind}:{id}"
