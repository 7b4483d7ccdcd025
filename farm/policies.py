"""Prove a batch of traces in this process, in one of several ways that have names.

All ways give the same proofs. `adaptive` measures which of the others is the cheapest for
batches of a size (farm/adaptive.py); the rest are there to be compared with, and to be chosen by
hand.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np

from farm import pin, trace, trace_plain
from farm.adaptive import Adaptive
from farm.cache import MOST_BYTES, TraceCache
from farm.columns import Code, Inputs, Outputs
from farm.reuse import Reuse
from farm.worth import Worth

NAMES = ("thread-per-proof", "sequential", "batch", "parallel", "cache", "adaptive")
#: Most threads that run at once where each proof has its own.
THREADS = 50


class Policies:
    """The ways to prove under one limit of rounds; `run` takes a way's name.

    `capacity` is that of each cache, and `most_bytes` what one may take; see farm/cache.py.
    """

    def __init__(
        self, limit: int, *, capacity: int | None = None, most_bytes: int = MOST_BYTES
    ) -> None:
        self.limit, self._capacity, self._most_bytes = limit, capacity, most_bytes
        self.cores = len(pin.cores())

    def __getitem__(self, name: str) -> Callable[[Inputs], Outputs]:
        """Return the function that proves a batch by the policy `name`."""
        ways: dict[str, Callable[[], Callable[[Inputs], Outputs]]] = {
            "thread-per-proof": lambda: self._thread_per_proof,
            "sequential": lambda: self._sequential,
            "batch": lambda: self._batch,
            "parallel": lambda: lambda inputs: self._parallel(inputs)[0],
            "cache": lambda: lambda inputs: self.cached.prove(inputs, self._batch),
            "adaptive": lambda: self.adaptive.prove,
        }
        return ways[name]()

    def close(self) -> None:
        """End the threads; the next call starts them again."""
        if pool := self.__dict__.pop("_pool", None):
            pool.shutdown()

    @cached_property
    def cached(self) -> Reuse:
        """The cache of the policy that always uses one."""
        return Reuse(self._cache())

    @cached_property
    def adaptive(self) -> Adaptive:
        """The policy that chooses."""
        # Threads that run numpy wait for each other: they took more time than one, at any size.
        alone = self.cores == 1 or trace.backend() == trace.NUMPY
        parallel = None if alone else self._parallel
        reuse = Reuse(self._cache(), Worth.of_memory())
        return Adaptive(self._batch, self._sequential, parallel, reuse)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cores, thread_name_prefix="farm-trace")

    def _cache(self) -> TraceCache:
        return TraceCache(self.limit, self._capacity, most_bytes=self._most_bytes)

    def _batch(self, inputs: Inputs) -> Outputs:
        return trace.prove(inputs, self.limit)

    def _sequential(self, inputs: Inputs) -> Outputs:
        done = Outputs.empty(len(inputs))
        for at, (rounds, witness) in enumerate(_rows(inputs)):
            self._one(inputs.program, rounds, witness, done, at)
        return done

    def _one(self, program: str, rounds: int, witness: list[int], done: Outputs, at: int) -> None:
        if code := _refusal(program, rounds, len(witness), self.limit):
            done.codes[at] = code
            return
        proof = trace_plain.prove(program, rounds, witness)
        done.outputs[at], done.steps[at] = proof.output, proof.steps
        done.commitments[at] = np.frombuffer(proof.commitment, "u1")

    def _thread_per_proof(self, inputs: Inputs) -> Outputs:
        done, rows = Outputs.empty(len(inputs)), list(_rows(inputs))
        for first in range(0, len(rows), THREADS):
            threads = [
                threading.Thread(target=self._one, args=(inputs.program, *rows[at], done, at))
                for at in range(first, min(first + THREADS, len(rows)))
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        return done

    def _parallel(self, inputs: Inputs) -> tuple[Outputs, float]:
        """Return the proofs, and the CPU seconds that the threads took for them."""
        work = int(inputs.rounds.sum(dtype=np.int64)) + len(inputs.words)
        rows, work = -(-len(inputs) // self.cores), -(-work // self.cores)
        parts = list(self._pool.map(self._timed, inputs.split(max(rows, 1), work)))
        return Outputs.joined([done for done, _ in parts]), sum(seconds for _, seconds in parts)

    def _timed(self, inputs: Inputs) -> tuple[Outputs, float]:
        began = time.thread_time()
        return self._batch(inputs), time.thread_time() - began


def _rows(inputs: Inputs) -> Iterator[tuple[int, list[int]]]:
    words, start = inputs.words.tolist(), 0
    for rounds, length in zip(inputs.rounds.tolist(), inputs.lengths.tolist(), strict=True):
        yield rounds, words[start : start + length]
        start += length


def _refusal(program: str, rounds: int, length: int, limit: int) -> Code:
    """Return what farm/trace.py says of a row: OK if it has a proof."""
    if program != "fib.v0":
        return Code.OVER_LIMIT if length > 4 * limit else Code.OK
    if length != 2:
        return Code.BAD_WITNESS
    if rounds == 0:
        return Code.NO_ROUNDS
    return Code.OVER_LIMIT if rounds > limit else Code.OK
