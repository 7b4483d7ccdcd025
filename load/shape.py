"""Ramp users up in one run of Locust: 1, 10, 20, 50, 100, 200, each for half a minute.

    locust -f load/locustfile.py,load/shape.py BatchUser

The page shows the curve as it grows; `make load` measures each number of users by itself.
"""

from typing import ClassVar

from locust import LoadTestShape

#: Users of the reference's table, and on.
USERS = (1, 10, 20, 50, 100, 200)
#: Seconds of each.
SECONDS = 30


class Ramp(LoadTestShape):
    """As many users as the time says, then the end."""

    abstract: ClassVar[bool] = False

    def tick(self) -> tuple[int, float] | None:
        """Return users and how many to start a second; None at the end."""
        at = int(self.get_run_time() // SECONDS)
        return (USERS[at], USERS[at]) if at < len(USERS) else None
