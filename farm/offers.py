"""Offer the ready steps of one session to the pools of the scheduler, in their order.

Pure.
"""

from enum import IntEnum

from farm.line import Order
from farm.pool import Pool

#: What a lift or a fold costs, in cycles of proving (measured on CPU).
RECURSION = 1 << 17


class Rank(IntEnum):
    """Which kind goes first among equals; executions have slots of their own."""

    WRAP = 0
    RESOLVE = 1
    JOIN = 2
    UNION = 3
    PROVE = 4
    #: A join that the plan could do without, for a slot that would idle.
    LOOSE_JOIN = 5
    EXECUTE = 6


class Offers:
    """The ready steps of one session of a tenant."""

    def __init__(self, session: str, tenant: str, proving: Pool, executing: Pool) -> None:
        self._session, self._tenant = session, tenant
        self._proving, self._executing = proving, executing
        #: Priority of who waits, and the number of the oldest of them.
        self.priority = self.seq = 0

    def offer(self, step: str, rank: Rank, at: int = 0, length: int = 0, po2: int = 0) -> None:
        """Offer a step at place `at` of its session, which works on `length` bytes.

        It needs a slot that can hold segments of 2^`po2` cycles.
        """
        order: Order = (-self.priority, rank, self.seq, at)
        key = (self._session, step)
        self._pool(step).offer(key, order, length, tenant=self._tenant, po2=po2)

    def withdraw(self, step: str) -> None:
        """Take an offer back, if there is one."""
        self._pool(step).withdraw((self._session, step))

    def _pool(self, step: str) -> Pool:
        return self._executing if step == "execute" else self._proving
