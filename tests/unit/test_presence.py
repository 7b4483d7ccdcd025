"""A slot's presence: announced, beaten, announced again when the ledger forgot it."""

import threading

from farm.errors import LedgerDown
from farm.presence import Presence


class Ledger:
    """Counts what it hears; each beat is answered by the next of `answers`."""

    def __init__(self, *answers):
        self.answers, self.said, self.end = list(answers), [], threading.Event()

    def up(self):
        self._answer("up")

    def down(self):
        self.said.append("down")

    def beat(self):
        return self._answer("beat")

    def _answer(self, word):
        self.said.append(word)
        if not self.answers:
            self.end.set()
            return True
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def live(self):
        presence = Presence(self.up, self.beat, self.down, 0.01)
        presence.start()
        assert self.end.wait(5)
        presence.stop()
        return self.said


def test_a_slot_is_announced_once_and_taken_away_at_the_end():
    said = Ledger(None, True, True).live()
    assert said[:4] == ["up", "beat", "beat", "beat"]
    assert said.count("up") == 1
    assert said[-1] == "down"


def test_a_forgotten_slot_is_announced_again_at_once():
    assert Ledger(None, True, False, None, True).live()[:5] == ["up", "beat", "beat", "up", "beat"]


def test_an_outage_at_the_start_is_waited_out():
    gone = LedgerDown("x", "gone")
    assert Ledger(gone, gone, None).live()[:4] == ["up", "up", "up", "beat"]


def test_an_outage_later_is_waited_out_with_beats():
    gone = LedgerDown("x", "gone")
    said = Ledger(None, True, gone, gone, False, None).live()
    assert said[:7] == ["up", "beat", "beat", "beat", "beat", "up", "beat"]


def test_a_bug_does_not_end_the_thread():
    assert Ledger(None, ValueError("bug"), True).live()[:4] == ["up", "beat", "beat", "beat"]
