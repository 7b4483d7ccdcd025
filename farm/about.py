"""What a ledger says of its farm: which blob store it belongs to, who schedules, the last sweep.

A reference in the ledger names a blob of one store: a process with another folder of blobs would
find none of them. So the first one to work for a ledger writes the id of its store there, and
others are told. The store remembers its first ledger likewise: another one, or the same emptied,
names none of its blobs, and a sweep by it would delete them all.
"""

from collections.abc import Mapping
from functools import cache
from importlib import metadata
from secrets import token_hex

from farm import keys
from farm.errors import WrongLedger, WrongStore
from farm.ledger import pairs
from farm.server import Server, functions
from farm.store import LEDGER, Store


@cache
def version() -> str:
    """Return the version of this code: the farm's, and of the functions it calls in the ledger."""
    return f"{metadata.version('proving-farm')}+{functions().removeprefix('farm_')}"


def claim(ledger: Server, store: Store) -> None:
    """Make the store the ledger's, unless it has one; raises WrongStore for another."""
    own = store.id()
    _same(ledger, store, _first(ledger, "store", own), own)
    store.ledger(_first(ledger, "id", token_hex(16)))


def check(ledger: Server, store: Store) -> None:
    """Raise WrongStore when the ledger belongs to another store than this one."""
    if theirs := read(ledger).get("store"):
        _same(ledger, store, theirs, store.known())


def check_sweep(ledger: Server, store: Store) -> None:
    """Raise WrongStore, or WrongLedger when the blobs may be named by another ledger."""
    own = read(ledger)
    _same(ledger, store, own.get("store", "none"), store.known())
    if own.get("id") != (theirs := store.known(LEDGER)):
        raise WrongLedger(store.root, theirs or "none", ledger.where, store.root / LEDGER)


def read(ledger: Server) -> dict[str, str]:
    """Return what the ledger says: `id`, `store`, `scheduler` (its version), `swept` (when)."""
    return pairs(ledger.calls([("HGETALL", keys.ABOUT)])[0])


def note(ledger: Server, facts: Mapping[str, str]) -> None:
    """Write facts about the farm into the ledger."""
    parts = [part for pair in facts.items() for part in pair]
    ledger.call("about_now", [keys.ABOUT], parts)


def _first(ledger: Server, field: str, value: str) -> str:
    return str(ledger.call("about_first", [keys.ABOUT], [field, value]))


def _same(ledger: Server, store: Store, theirs: str, own: str) -> None:
    if theirs != own:
        raise WrongStore(ledger.where, theirs, store.root, own or "none")
