"""farm/door.py: who was refused is refused at once, until there is room."""

import pytest
from fake_farm import FakeLedger

from farm.door import SHARE, Door
from farm.errors import BadTrace, Busy

CAP = 1 << 20
BUSY = Busy("what trace batches hold", "9 bytes", 1)


class Asked(FakeLedger):
    def __init__(self):
        super().__init__()
        self.asked = []

    def trace_room(self, id, size, cap):
        self.asked.append((id, size, cap))
        super().trace_room(id, size, cap)


@pytest.fixture
def ledger():
    return Asked()


def enter(door, error=None):
    with door:
        if error:
            raise error


def test_nobody_is_asked_before_the_first_refusal(ledger):
    door = Door(ledger, CAP)
    enter(door)
    with pytest.raises(BadTrace):
        enter(door, BadTrace("no rows"))
    enter(door)
    assert ledger.asked == []


def test_after_a_refusal_room_is_asked_for_before_anything_else(ledger):
    door = Door(ledger, CAP)
    with pytest.raises(Busy):
        enter(door, BUSY)
    ledger.refusals = [BUSY]
    inside = []
    with pytest.raises(Busy), door:
        inside.append(1)
    assert not inside
    enter(door)
    enter(door)
    assert ledger.asked == [("", SHARE * CAP, CAP)] * 2
