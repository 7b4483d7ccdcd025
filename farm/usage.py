"""What a tenant has open, has spent today and has uploaded, as the ledger counts it."""

from typing import NamedTuple

from farm import keys
from farm.server import Server

#: A day of UTC, in seconds.
DAY = 86400


class Usage(NamedTuple):
    """What counts against the quota of a tenant (farm/quota.py)."""

    #: Jobs open that came by way of the API.
    jobs: int
    #: Cycles of executions that have ended today, by UTC.
    cycles: int
    #: Bytes of uploads.
    bytes: int


def read(server: Server, namespace: str, now: float) -> Usage:
    """Return what a tenant uses at the unix time `now`."""
    names = [f"{what}:{namespace}" for what in ("open", "spent", "bytes")]
    jobs, spent, held = server.calls([("HMGET", keys.TENANTS, *names)])[0]
    day, _, cycles = (spent or "").partition(" ")
    today = day == str(int(now // DAY))
    return Usage(int(jobs or 0), int(cycles) if today else 0, int(held or 0))
