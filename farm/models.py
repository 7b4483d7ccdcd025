"""Hold the cost models of a farm, and let them learn from what workers have measured.

Pure. What comes from workers is not trusted to be well made: what cannot be read, or is of no
known kind of step, is dropped and counted, and never raises.
"""

from collections.abc import Mapping

import msgspec

from farm.cost import CostModel
from farm.errors import FarmError
from farm.terms import RULES, Observation

#: Most bytes, and most observations, of what one worker says at once.
BYTES, TOGETHER = 1 << 16, 16
#: What reading it may raise; the second, for lists in lists without end.
_UNREADABLE = (ValueError, RecursionError)


class Models:
    """The models the scheduler keeps; `kept` is their JSON by name, as the ledger has it."""

    def __init__(self, kept: Mapping[str, str]) -> None:
        self._models = read(kept)
        self._changed: set[str] = set()
        #: Observations, or whole batches of them, that could not be learned from.
        self.dropped = 0

    def __getitem__(self, name: str) -> CostModel:
        """Return a model; raises BadInput for a kind of step that does not exist."""
        return self._models.get(name) or CostModel(name)

    def learn(self, batch: str) -> None:
        """Learn from what one worker has said."""
        for raw in self._split(batch):
            try:
                self._observe(msgspec.json.decode(raw, type=Observation))
            except (*_UNREADABLE, FarmError):
                self.dropped += 1

    def changed(self) -> dict[str, str]:
        """Return the JSON of the models that have changed since this was last asked."""
        names, self._changed = self._changed, set()
        return {name: written(self._models[name]) for name in sorted(names)}

    def _split(self, batch: str) -> list[msgspec.Raw]:
        try:
            found = msgspec.json.decode(batch[:BYTES], type=list[msgspec.Raw])
        except _UNREADABLE:
            found = []
        if not 0 < len(found) <= TOGETHER:
            self.dropped += 1
            return []
        return found

    def _observe(self, seen: Observation) -> None:
        model = self[seen.name]
        if model.observe(seen.features, seen.seconds):
            self._models[seen.name] = model
            self._changed.add(seen.name)
        else:
            self.dropped += 1


def read(kept: Mapping[str, str]) -> dict[str, CostModel]:
    """Return the models by name; those that cannot be read are left out, to begin anew."""
    found: dict[str, CostModel] = {}
    for name in sorted(RULES.keys() & kept.keys()):
        try:
            model = msgspec.json.decode(kept[name], type=CostModel)
        except (*_UNREADABLE, FarmError):
            continue
        if model.name == name:
            found[name] = model
    return found


def written(model: CostModel) -> str:
    """Return the JSON of a model."""
    return msgspec.json.encode(model).decode()
