"""A trace batch of a farm that is known by its URL."""

import time
from collections.abc import Iterator
from typing import Self

import msgspec
import numpy as np

from farm.batch import Batch
from farm.columns import Code, Inputs, Outputs
from farm.errors import JobFailed, WaitTimeout
from farm.follow import Clock, Progress
from farm.job import BatchView
from farm.remote_http import Http

#: Seconds between the first two looks at a batch, and at most.
SOON, LATE = 0.02, 1.0


class _Proof(msgspec.Struct):
    """One row as the API has it."""

    output: int
    steps: int
    commitment: str
    code: int


class RemoteBatch(Batch):
    """See `Batch`; its results come all at once."""

    def __init__(self, inputs: Inputs, id: str, http: Http) -> None:
        self._inputs, self._id, self._http = inputs, id, http
        self._done: Outputs | None = None

    @classmethod
    def begun(cls, inputs: Inputs, http: Http) -> Self:
        """Return a new batch, which is accepted by then."""
        rows = [rounds for rounds, _ in inputs.rows(range(len(inputs)))]
        words = [witness for _, witness in inputs.rows(range(len(inputs)))]
        asked = {"program": inputs.program, "rounds": rows, "witness": words}
        return cls(inputs, msgspec.json.decode(http.send("/v1/batches", asked))["id"], http)

    @property
    def id(self) -> str:
        """The batch's name in the ledger."""
        return self._id

    @property
    def inputs(self) -> Inputs:
        """What the batch was asked for."""
        return self._inputs

    def status(self) -> BatchView:
        """Return the batch as the ledger has it; raises UnknownJob once it is forgotten."""
        return msgspec.json.decode(self._http.get(f"/v1/batches/{self.id}"), type=BatchView)

    def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns; raises as `Batch.wait` does. Tells no progress."""
        clock, pause = Clock(timeout), SOON
        while self._done is None:
            view = self.status()
            if error := view.error():
                raise error
            if view.state.ended:
                self._done = self._results()
            elif not clock.left():
                raise WaitTimeout(self.id, view.state, timeout)
            else:
                time.sleep(min(pause, clock.left()))
                pause = min(LATE, 2 * pause)
        return self._done

    def chunks(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Iterator[Outputs]:
        """Yield all results as one chunk."""
        yield self.wait(timeout, progress)

    def cancel(self) -> bool:
        """Return whether the batch was still running; it is ABORTED then."""
        answer = self._http.post(f"/v1/batches/{self.id}/cancel")
        return bool(msgspec.json.decode(answer)["cancelled"])

    def _results(self) -> Outputs:
        body = self._http.get(f"/v1/batches/{self.id}/results")
        rows = msgspec.json.decode(body, type=list[_Proof])
        if len(rows) != len(self):
            raise JobFailed(self.id, f"it came back with {len(rows)} rows of {len(self)}")
        commitments = b"".join(bytes.fromhex(row.commitment or "00" * 32) for row in rows)
        return Outputs(
            np.array([row.output for row in rows], "<u8"),
            np.array([row.steps for row in rows], "<u4"),
            np.frombuffer(commitments, "u1").reshape(-1, 32),
            np.array([Code(row.code) for row in rows], "u1"),
        )
