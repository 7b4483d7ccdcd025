"""Keep trace proofs that take long where other processes find them: in the scratch server.

One round trip a batch. Every value carries the key it is of and a digest: one that is stale, cut
or flipped is no proof. A server that does not answer is no reason to fail either: nothing is
found there, and for a while it is not asked.
"""

import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, TypeVar

import numpy as np
import redis

from farm import keys as names
from farm.cache import Found, Stats
from farm.columns import Code, Inputs, Outputs
from farm.keying import Keyer, Keys, provable
from farm.packer import Packer
from farm.rows import WIDTH, from_words, to_words
from farm.worth import Line, Worth

T = TypeVar("T")

#: Makes the same keys in every process; another one after a change of what a proof is.
_SEED = b"proving-farm trace proofs 1"
#: Bytes of a value: key, proof, digest.
_KEY, _PROOF, _DIGEST = 24, 8 * WIDTH, 16
#: Share of the server's memory up to which proofs are put there.
SHARE = 0.25
#: Rows asked for by one command.
_TOGETHER = 16_384
#: Longest that an answer may take, and how long a server that gave none is left alone: seconds.
PATIENCE, PAUSE = 1.0, 30.0


def worth() -> Worth:
    """Return what a shelf is worth before it is measured: a round trip and 5 us a row."""
    return Worth(Line(2e-4, 5e-6), Line(2e-4, 5e-6))


class Shelf:
    """The proofs under one limit that the processes of a farm share, of one namespace."""

    def __init__(
        self,
        client: "redis.Redis",
        namespace: str,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client: Any = client
        self._namespace, self._limit, self._clock = namespace, limit, clock
        self._silent_until = -PAUSE
        self._hits, self._misses = 0, 0
        self.keyer = Keyer(_SEED)

    @classmethod
    def at(cls, url: str, namespace: str, limit: int) -> "Shelf":
        """Return the shelf in the server at `url`."""
        client = redis.Redis.from_url(
            url,
            socket_timeout=PATIENCE,
            socket_connect_timeout=PATIENCE,
            command_packer=Packer(),
        )
        return cls(client, namespace, limit)

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._client.close()

    def look(self, inputs: Inputs) -> Found:
        """Return what is there of a batch."""
        able = provable(inputs, self._limit)
        rows = np.arange(len(inputs)) if able is None else np.flatnonzero(able)
        keys = self.keyer.keys(inputs if able is None else inputs.pick(rows))
        wanted = _bytes(keys)
        values = [_proof(*pair) for pair in zip(wanted, self._get(wanted), strict=True)]
        here = np.array([value is not None for value in values], np.bool_)
        words = np.frombuffer(b"".join(filter(None, values)), "<u8").reshape(-1, WIDTH)
        proofs = Outputs.empty(len(words))
        from_words(words, proofs, slice(None))
        hits = np.zeros(len(inputs), np.bool_)
        hits[rows[here]] = True
        self._hits, self._misses = self._hits + len(words), self._misses + len(rows) - len(words)
        return Found(hits, proofs, rows[~here], keys[~here], -1)

    def keep(self, keys: Keys, outputs: Outputs, version: int = -1) -> None:
        """Put the proofs among these rows there, for `keys.PROOFS` seconds."""
        good = np.flatnonzero(outputs.codes == Code.OK)
        proofs = [row.tobytes() for row in to_words(outputs, good)]

        def put() -> None:
            if not self._room():
                return
            pipe = self._client.pipeline(transaction=False)
            for key, proof in zip(_bytes(keys[good]), proofs, strict=True):
                pipe.set(self._name(key), _value(key, proof), ex=names.PROOFS)
            pipe.execute()

        if proofs:
            self._ask(put, None)

    def noted(self, keys: Keys) -> int:
        """Return how many of these keys, which all differ, any process has noted; all are now.

        A note is a value that is no proof, in the place of one.
        """

        def note() -> int:
            if not self._room():
                return 0
            pipe = self._client.pipeline(transaction=False)
            for key in _bytes(keys):
                pipe.set(self._name(key), b"", nx=True, ex=names.PROOFS)
            return sum(not fresh for fresh in pipe.execute())

        return self._ask(note, 0) if len(keys) else 0

    def _room(self) -> bool:
        """Return whether the server has room to spare: it carries the farm's messages, too."""
        memory = self._client.info("memory")
        most = int(memory["maxmemory"])
        return not most or int(memory["used_memory"]) < SHARE * most

    def stats(self) -> Stats:
        """Return how its lookups went; what all processes keep there is not known here."""
        return Stats(self._hits, self._misses, 0, 0, 0)

    def _get(self, wanted: Sequence[bytes]) -> list[bytes | None]:
        def get() -> list[bytes | None]:
            pipe = self._client.pipeline(transaction=False)
            for start in range(0, len(wanted), _TOGETHER):
                pipe.mget([self._name(key) for key in wanted[start : start + _TOGETHER]])
            return [value for answer in pipe.execute() for value in answer]

        nothing: list[bytes | None] = [None] * len(wanted)
        return self._ask(get, nothing) if wanted else nothing

    def _ask(self, call: Callable[[], T], otherwise: T) -> T:
        if self._clock() < self._silent_until:
            return otherwise
        try:
            return call()
        except redis.RedisError:
            self._silent_until = self._clock() + PAUSE
            return otherwise

    def _name(self, key: bytes) -> str:
        return names.proof(self._namespace, key.hex())


def _bytes(keys: Keys) -> list[bytes]:
    table = np.stack([keys.heads, keys.firsts, keys.seconds], axis=1).astype("<u8")
    return [row.tobytes() for row in table]


def _value(key: bytes, proof: bytes) -> bytes:
    return key + proof + blake2b(key + proof, digest_size=_DIGEST).digest()


def _proof(key: bytes, value: bytes | None) -> bytes | None:
    """Return the proof in a value, None for one that is not whole or is another's."""
    if value is None or len(value) != _KEY + _PROOF + _DIGEST:
        return None
    proof = value[_KEY : _KEY + _PROOF]
    return proof if value == _value(key, proof) else None
