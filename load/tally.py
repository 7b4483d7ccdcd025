"""Count what one load process asked for, what came back, and what was wrong with it."""

from pathlib import Path

import msgspec
from rows import Faults


class Tally(msgspec.Struct):
    """Proofs asked for and taken, what was wrong with them, and requests that failed."""

    asked: int = 0
    taken: int = 0
    verified: int = 0
    lost: int = 0
    wrong: int = 0
    twice: int = 0
    failed: int = 0
    #: Times the farm said that it is busy; asked again, nothing is lost by it.
    busy: int = 0

    def add(self, found: Faults) -> None:
        """Count what was found wrong in one batch."""
        self.lost += found.lost
        self.wrong += found.wrong
        self.twice += found.twice

    @property
    def unanswered(self) -> int:
        """Return how many proofs were asked for and never came."""
        return self.asked - self.taken

    @property
    def clean(self) -> bool:
        """Tell whether everything came back, once, in order and right."""
        return not (self.unanswered or self.lost or self.wrong or self.twice or self.failed)

    def write(self, path: Path) -> None:
        """Keep the tally in a file."""
        path.write_bytes(msgspec.json.encode(self))


def read(path: Path) -> Tally:
    """Return the tally kept in a file."""
    return msgspec.json.decode(path.read_bytes(), type=Tally)


def total(tallies: list[Tally]) -> Tally:
    """Return the sum of several tallies."""
    names = Tally.__struct_fields__
    return Tally(**{name: sum(getattr(one, name) for one in tallies) for name in names})
