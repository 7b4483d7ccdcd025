"""What tests of sweeps go by: how long things are kept, and how to let time pass."""

import os

from farm.retention import Keep

DAY = 86400
KEEP = Keep(jobs=30 * DAY, receipts=10 * DAY, nodes=DAY)
GUARD = 1000.0


def make_old(store):
    """Let every blob have been put long ago."""
    for file in store.files():
        os.utime(file.path, (1e9, 1e9))


def let_pass(ledger, key, field, seconds):
    """Let it have been so many seconds since something ended."""
    when = float(ledger.client.hget(key, field)) - seconds
    assert ledger.client.hset(key, field, f"{when:.6f}") == 0
