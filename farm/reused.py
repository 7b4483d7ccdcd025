"""Put the caches of trace proofs before a farm: those of this process, and those of all others."""

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping

import msgspec

from farm import shelf
from farm.batch import Batch
from farm.cache import Stats, TraceCache
from farm.columns import Inputs, Outputs
from farm.cost import CostModel
from farm.errors import Busy, FarmError, JobAborted, Transient, UnknownJob, WaitTimeout
from farm.flight import Sent, aborted
from farm.follow import Progress
from farm.job import BatchView, State
from farm.pace import ENOUGH, believed
from farm.partial import Submit
from farm.reuse import Reuse
from farm.settings import Settings
from farm.shelf import Shelf
from farm.terms import Features
from farm.worth import Worth

#: Seconds after which the farm's cost models are asked for again, and while it has none.
FRESH, SOON = 60.0, 5.0

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
        self._settings, self._scratch, self._models = settings, scratch, models
        self._begin()

    def _begin(self) -> None:
        own, price = self._settings, Price(self._models)
        limit, most = own.trace_rounds_limit, own.trace_cache_bytes
        self._near = Reuse(TraceCache(limit, most_bytes=most), Worth.of_memory(), price)
        self._shelf = Shelf.at(self._scratch, own.namespace, limit)
        # A round trip takes little CPU time, and long by the clock.
        self._far = Reuse(self._shelf, shelf.worth(), price, time.monotonic)
        self._process = os.getpid()

    def submit(self, inputs: Inputs, send: Send) -> Batch:
        """Return a batch of these proofs, of which `send` hands in those that are not held."""
        if os.getpid() != self._process:  # of a fork's locks any may be held, for ever
            self._begin()
        batch = ReusedBatch(inputs, self._start, send)
        return batch.whole or batch

    def stats(self) -> tuple[Stats, Stats]:
        """Return what was reused from this process's memory, and from the shared store."""
        return self._near.stats(), self._far.stats()

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._shelf.close()

    def _start(self, inputs: Inputs, submit: Submit) -> Sent:
        return self._near.start(inputs, lambda missing: self._far.start(missing, submit))


class Price:
    """What proofs cost the farm, by its own models; nothing while it has none."""

    def __init__(self, models: Callable[[], Mapping[str, CostModel]]) -> None:
        self._ask, self._models = models, dict[str, CostModel]()
        self._until = -FRESH

    def __call__(self, program: str, rows: int, steps: int) -> float:
        """Return the CPU seconds of so many proofs with so many states together."""
        if time.monotonic() > self._until:
            self._until = time.monotonic() + SOON
            try:
                found = self._ask()
            except FarmError:
                return 0.0
            self._models = {name: one for name, one in found.items() if one.count >= ENOUGH}
            if self._models:
                self._until += FRESH - SOON
        model = believed(self._models, program)
        return model.predict(Features(rows=rows, steps=steps)) if model else 0.0


class ReusedBatch(Batch):
    """A batch some of whose proofs were there already, or are on their way for other batches.

    What is missing is a batch of its own, and so is what others have failed to make.
    """

    def __init__(self, inputs: Inputs, start: Callable[[Inputs, Submit], Sent], send: Send) -> None:
        self._asked, self._send = inputs, send
        self._own: list[Batch] = []
        self._aborted = False
        self._all = start(inputs, self._hand_in)

    @property
    def whole(self) -> Batch | None:
        """The batch that was handed in, if it is all there is to this one."""
        return self._own[0] if self._own and self._own[0] is self._all else None

    @property
    def id(self) -> str:
        """The name that what is missing has in the ledger; empty if nothing is."""
        return self._own[0].id if self._own else ""

    @property
    def inputs(self) -> Inputs:
        """What the batch was asked for."""
        return self._asked

    def status(self) -> BatchView:
        """Return RUNNING until all proofs are here, whoever makes them; what is ready is taken.

        Chunks are those of what is missing. Raises LedgerDown, or why results cannot be taken now.
        """
        program, count = self._asked.program, len(self._asked)
        view = BatchView(id=self.id, state=State.RUNNING, program=program, count=count, chunks=0)
        try:
            self.wait(0)
        except (WaitTimeout, Busy):
            with contextlib.suppress(UnknownJob, IndexError):
                view = self._own[0].status()
            return msgspec.structs.replace(view, state=State.RUNNING, count=count)
        except Transient:
            raise
        except FarmError as error:
            state = State.ABORTED if isinstance(error, JobAborted) else State.FAILED
            facts = list(error.facts)
            return msgspec.structs.replace(view, state=state, code=error.code, facts=facts)
        return msgspec.structs.replace(view, state=State.SUCCEEDED)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns, once they are there; see `Batch.wait`.

        `progress` is told of what this batch has handed in, not of what others have.
        """
        try:
            return self._all.wait(timeout, progress)
        finally:
            self._unless_aborted()

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield all results at once, when they are there."""
        yield self.wait(timeout, progress)

    def cancel(self) -> bool:
        """Return whether the batch was still running; it is ABORTED then, and lends nothing."""
        first = not self._aborted
        if first:
            with contextlib.suppress(Transient):  # not over, then
                if self.status().state is not State.RUNNING:
                    return False
        self._aborted = True
        return self._all.cancel() or first

    def _hand_in(self, missing: Inputs) -> Batch:
        self._unless_aborted()
        batch = self._send(missing)
        self._own.append(batch)
        if self._aborted:  # while it was handed in: whoever cancelled has not seen it
            batch.cancel()
        return batch

    def _unless_aborted(self) -> None:
        if self._aborted:
            raise aborted(self.id)
