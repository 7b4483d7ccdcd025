"""Put one root over the proofs of a trace batch, as a set of receipts has one: for development.

Pure. Of kind "trace": nothing is proved by it, any more than by the traces themselves.
"""

import numpy as np

from farm import mountain
from farm.columns import Outputs
from farm.errors import BadInput


class TraceSet:
    """The commitments of a batch under one root; raises BadInput for a batch without any proof."""

    kind = "trace"

    def __init__(self, outputs: Outputs) -> None:
        found = np.flatnonzero(outputs.codes == 0)
        #: The rows that have no proof: they are not in the set.
        self.left_out = [int(row) for row in np.flatnonzero(outputs.codes)]
        self._places = {int(row): place for place, row in enumerate(found)}
        raw = outputs.commitments[found].tobytes().hex()
        self._tree = mountain.Tree(raw[at : at + 64] for at in range(0, len(raw), 64))

    def __len__(self) -> int:
        return len(self._places)

    @property
    def root(self) -> str:
        """The root, 64 hex digits."""
        return self._tree.root

    def path(self, row: int) -> list[str]:
        """Return the nodes that lead from a row's commitment to the root.

        Raises BadInput for a row without a proof.
        """
        if row not in self._places:
            raise BadInput(f"row {row} of the batch has no proof: it is not in the set")
        return self._tree.path(self._places[row])

    def holds(self, row: int, commitment: bytes) -> bool:
        """Return whether that is the commitment which the set has of a row."""
        known = row in self._places
        return known and mountain.climb(commitment.hex(), self.path(row)) == self.root
