"""Cut trace batches by what such chunks have cost, as far as the farm has learned it yet.

The ledger is asked for models and workers now and then, not for every batch.
"""

import contextlib
import time
from collections.abc import Callable, Mapping

import numpy as np

from farm import parcels, sizes
from farm.columns import Inputs
from farm.cost import CostModel
from farm.errors import FarmError
from farm.ledger import Ledger
from farm.parcels import Sizes
from farm.rows import LONGEST, states
from farm.terms import BACKENDS, trace_name

#: Seconds between two looks at what the farm has learned: while it has learned nothing, and then.
LOOK_SECONDS, KNOWN_SECONDS = 5.0, 30.0
#: Observations from which a model is believed.
ENOUGH = 20
#: CPU seconds that a chunk costs beside its proofs, all processes together: measured.
CHUNK_SECONDS = 0.0007
#: Most rows of one chunk: its columns are some megabytes then.
MOST_ROWS = 1 << 16
#: How much more than the mean the rows of one chunk may be.
SLACK = 1.25


class Pace:
    """How large the chunks of one client's batches may be. Safe to use from several threads."""

    def __init__(
        self, ledger: Ledger, latency_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ledger, self._latency_s, self._clock = ledger, latency_s, clock
        self._models: dict[str, CostModel] = {}
        self._workers = 1
        self._look = clock()

    def limits(self, inputs: Inputs) -> Sizes:
        """Return how large each chunk of a batch may be; a guess until enough was measured."""
        self._learn()
        model = believed(self._models, inputs.program)
        if model is None or not len(inputs):
            return parcels.sizes(self._latency_s)
        cost = sizes.like(model, max(1.0, states(inputs) / len(inputs)))
        rows = sizes.chunk_rows(
            cost, len(inputs), self._workers, CHUNK_SECONDS, latency=self._latency_s
        )
        rows = min(rows, MOST_ROWS)
        # Many rows that are longer than the mean come in fewer to a chunk; a few leave no rest of
        # the batch over, which would be a chunk of its own.
        proved = inputs.rounds[inputs.rounds <= LONGEST].sum(dtype=np.int64)
        work = (int(proved) + len(inputs.words)) / len(inputs)
        return Sizes(rows, max(1, int(SLACK * rows * work)))

    def _learn(self) -> None:
        if self._clock() < self._look:
            return
        self._look = self._clock() + LOOK_SECONDS
        # What was learned is a help, not a need.
        with contextlib.suppress(FarmError):
            slots = self._ledger.slots()
            self._workers = max(1, sum(slot.kind == "trace" for slot in slots))
            self._models = self._ledger.models()
        if self._models:
            self._look += KNOWN_SECONDS - LOOK_SECONDS


def believed(models: Mapping[str, CostModel], program: str) -> CostModel | None:
    """Return the model of what proves a program here: the backend with the most observations.

    None while these are too few.
    """
    names = (trace_name(program, backend) for backend in BACKENDS)
    known = [model for name in names if (model := models.get(name))]
    best = max(known, key=lambda model: model.count, default=None)
    return best if best and best.count >= ENOUGH else None
