"""Comparing with the ledger: all sessions in turn, so much of them at a time."""

from collections import Counter

import pytest
from sessions import session, spec

from farm import events as e
from farm.hints import COMPARED, Hints


class Ledger:
    """Sessions that run."""

    def __init__(self, count):
        specs = [spec(f"j{n}", image_id=f"{n:03}") for n in range(count)]
        self.facts = {facts.name: facts for facts in map(session, specs)}

    def sessions(self):
        return sorted(self.facts)

    def session(self, name):
        return self.facts[name]


@pytest.mark.parametrize("size", [1, COMPARED // 4, 5 * COMPARED])
def test_all_sessions_are_compared_in_turn_so_much_at_a_time(size):
    ledger = Ledger(40)
    hints = Hints(ledger)
    known = dict.fromkeys(ledger.facts, size)
    rounds = [[seen.facts.name for seen in hints.sessions(known)] for _ in range(40)]
    seen = Counter(name for names in rounds for name in names)
    assert seen.keys() == ledger.facts.keys()
    assert max(seen.values()) - min(seen.values()) <= 1
    assert max(map(len, rounds)) == min(40, max(1, -(-COMPARED // (size + 1))))


def test_what_is_new_is_seen_at_once_and_what_is_over_is_gone():
    ledger = Ledger(3)
    hints = Hints(ledger)
    names = ledger.sessions()
    known = {"over": 9, names[0]: 10 * COMPARED}
    told = list(hints.sessions(known))
    assert {one.facts.name for one in told if isinstance(one, e.SessionSeen)} == set(names)
    assert told[-1] == e.SessionGone("over")
