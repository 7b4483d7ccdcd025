"""What came of a job that has ended well, by its reference in the store."""

from typing import Literal

from farm.errors import NoAnswer, NoReceipt, ReceiptSwept
from farm.job import JobView, State


def answer(view: JobView, what: Literal["receipt", "journal"]) -> str:
    """Return the reference of a job's receipt or journal.

    Raises NoAnswer while there is none, NoReceipt for a job that was only executed, and
    ReceiptSwept for what is past its time.
    """
    if view.state is not State.SUCCEEDED:
        raise NoAnswer(view.id, view.state, what)
    if what == "receipt" and view.spec.kind == "execute":
        raise NoReceipt(view.id)
    found = view.receipt if what == "receipt" else view.journal
    if not found:
        raise ReceiptSwept(view.id)
    return found
