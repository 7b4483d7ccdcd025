"""Put the caches of trace proofs before a farm: those of this process, and those of all others."""

import time
from collections.abc import Callable, Iterator, Mapping

from farm import shelf
from farm.batch import Batch
from farm.cache import Stats, TraceCache
from farm.columns import Inputs, Outputs
from farm.cost import CostModel
from farm.errors import FarmError
from farm.flight import Wait
from farm.follow import Progress
from farm.job import BatchView, State
from farm.partial import Submit
from farm.reuse import Reuse
from farm.settings import Settings
from farm.shelf import Shelf
from farm.terms import BACKENDS, Features, trace_name
from farm.worth import Worth

#: Seconds after which the farm's cost models are asked for again.
FRESH = 60.0

#: Hands a batch in.
Send = Callable[[Inputs], Batch]


class Reused:
    """The caches before one farm.

    `models` gives the cost models that the farm has learned. While it has none, nothing tells
    whether a lookup would pay, and there is none.
    """

    def __init__(
        self, settings: Settings, scratch: str, models: Callable[[], Mapping[str, CostModel]]
    ) -> None:
        self._price = Price(models)
        limit, most = settings.trace_rounds_limit, settings.trace_cache_bytes
        self._near = Reuse(TraceCache(limit, most_bytes=most), Worth.of_memory(), self._price)
        self._shelf = Shelf.at(scratch, settings.namespace, limit)
        # A round trip takes little CPU time, and long by the clock.
        self._far = Reuse(self._shelf, shelf.worth(), self._price, time.monotonic)

    def submit(self, inputs: Inputs, send: Send) -> Batch:
        """Return a batch of these proofs, of which `send` hands in those that are not held."""
        batch = ReusedBatch(inputs, self._start, send)
        return batch.whole or batch

    def stats(self) -> tuple[Stats, Stats]:
        """Return what was reused from this process's memory, and from the shared store."""
        return self._near.stats(), self._far.stats()

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._shelf.close()

    def _start(self, inputs: Inputs, submit: Submit) -> Wait:
        return self._near.start(inputs, lambda missing: self._far.start(missing, submit))


class Price:
    """What proofs cost the farm, by its own models; nothing while it has none."""

    def __init__(self, models: Callable[[], Mapping[str, CostModel]]) -> None:
        self._ask, self._models = models, dict[str, CostModel]()
        self._until = -FRESH

    def __call__(self, program: str, rows: int, steps: int) -> float:
        """Return the CPU seconds of so many proofs with so many states together."""
        if time.monotonic() > self._until:
            self._until = time.monotonic() + FRESH
            try:
                self._models = dict(self._ask())
            except FarmError:
                return 0.0
        names = [trace_name(program, backend) for backend in BACKENDS]
        known = [self._models[name] for name in names if name in self._models]
        if not known:
            return 0.0
        model = max(known, key=lambda one: one.count)
        return model.predict(Features(rows=rows, steps=steps))


class ReusedBatch(Batch):
    """A batch some of whose proofs were there already; what is missing is a batch of its own."""

    def __init__(self, inputs: Inputs, start: Callable[[Inputs, Submit], Wait], send: Send) -> None:
        self._asked, self._hand_in = inputs, send
        self._sent: list[tuple[Batch, Wait]] = []
        self._progress: Progress | None = None
        self._all = start(inputs, self._submit)

    @property
    def whole(self) -> Batch | None:
        """The batch that was handed in, if it is all there is to this one."""
        batch, wait = self._sent[0] if self._sent else (None, None)
        return batch if wait is self._all else None

    @property
    def id(self) -> str:
        """The name that what is missing has in the ledger; empty if nothing is."""
        return self._sent[0][0].id if self._sent else ""

    @property
    def inputs(self) -> Inputs:
        """What the batch was asked for."""
        return self._asked

    def status(self) -> BatchView:
        """Return what is missing as the ledger has it; SUCCEEDED if nothing is."""
        if self._sent:
            return self._sent[0][0].status()
        program, count = self._asked.program, len(self._asked)
        return BatchView(id="", state=State.SUCCEEDED, program=program, count=count, chunks=0)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns, once they are there; see `Batch.wait`."""
        self._progress = progress
        return self._all(timeout)

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield all results at once, when they are there."""
        yield self.wait(timeout, progress)

    def cancel(self) -> bool:
        """Return whether what is missing was still running; it is ABORTED then."""
        return any([batch.cancel() for batch, _ in self._sent])

    def _submit(self, missing: Inputs) -> Wait:
        batch = self._hand_in(missing)

        def wait(timeout: float | None) -> Outputs:
            return batch.wait(timeout, self._progress)

        self._sent.append((batch, wait))
        return wait
