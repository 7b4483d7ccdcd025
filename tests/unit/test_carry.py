"""The scheduler's hands: a burst of progress is one write a session."""

from farm import events as e
from farm.carry import Carrier


class Book:
    def __init__(self):
        self.told = []

    def progress(self, jobs, **entry):
        self.told.append((jobs, entry))

    def outbox(self):
        return []


def test_only_the_newest_progress_of_a_session_is_written():
    book = Book()
    carrier = Carrier(book, None, None)
    jobs = ()
    for number in range(9):
        jobs += (f"j{number}",)
        carrier.carry([e.Progress("s", jobs, {"proved": number})])
    carrier.carry([e.Progress("other", ("k",), {"proved": 1})])
    carrier.flush()
    carrier.flush()
    assert book.told == [(jobs, {"proved": 8}), (("k",), {"proved": 1})]
