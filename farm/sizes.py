"""Choose how many rows of a trace batch go into one chunk, from what they will cost.

Pure. A chunk has to be worth its message, must not keep others waiting, and every worker
should have one; in this order, where not all can be had.
"""

from collections.abc import Callable
from math import ceil

from farm.cost import CostModel
from farm.terms import Features

#: Longest that one chunk should take: what arrives meanwhile waits for it.
LATENCY_SECONDS = 0.05
#: Most of a chunk's whole cost that its message may be.
SHARE = 0.05

#: Seconds that a chunk of so many rows takes, more for more rows.
Cost = Callable[[int], float]


def like(model: CostModel, length: float) -> Cost:
    """Return what chunks of rows of this mean length, in steps, cost by the model."""
    return lambda rows: model.predict(Features(rows=rows, steps=rows * length))


def chunk_rows(
    cost: Cost,
    rows: int,
    workers: int,
    overhead: float,
    *,
    latency: float = LATENCY_SECONDS,
    share: float = SHARE,
) -> int:
    """Return how many of `rows` rows to put into each chunk, at least 1.

    `overhead` is what a message costs, in seconds, beside the chunk it brings.
    """
    least = _first(lambda count: overhead <= share * (overhead + cost(count)), rows)
    most = _first(lambda count: cost(count + 1) > latency, rows)
    # Whole rounds: no worker idles while another does the last chunk.
    chunks = _parts(_parts(rows, most), workers) * workers
    return _parts(rows, min(chunks, rows // least))


def _first(holds: Callable[[int], bool], rows: int) -> int:
    """Return the first of 1 to `rows` for which it holds, and for all after it; else `rows`."""
    low, high = 1, max(rows, 1)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _parts(whole: int, count: int) -> int:
    return max(1, ceil(whole / max(count, 1)))
