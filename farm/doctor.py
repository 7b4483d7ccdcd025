"""Examine a farm: what is in order, what is not, and what to do about it.

Each check gives findings; what a check raises is one, too. Nothing is changed.
"""

from collections.abc import Callable, Iterator, Sequence

from farm import doctor_ledger, doctor_machine
from farm.errors import FarmError, LedgerDown
from farm.finding import Finding, bad
from farm.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]

#: What is looked at, by name, in the order of the screen.
MACHINE: dict[str, Check] = {
    "system": doctor_machine.system,
    "host": doctor_machine.host,
    "kernel": doctor_machine.kernel,
    "memory": doctor_machine.memory,
    "disk": doctor_machine.disk,
}
#: What is asked of a farm that is up.
FARM: dict[str, Check] = {
    "servers": doctor_ledger.servers,
    "eviction": doctor_ledger.eviction,
    "persistence": doctor_ledger.persistence,
    "clock": doctor_ledger.clock,
    "store": doctor_ledger.store,
    "sweep": doctor_ledger.sweep,
    "scheduler": doctor_ledger.scheduler,
    "slots": doctor_ledger.slots,
    "versions": doctor_ledger.versions,
    "api": doctor_ledger.api,
}


def examine(settings: Settings) -> list[Finding]:
    """Return what there is to say of this machine and of its farm."""
    found = [one for name, check in MACHINE.items() for one in _tried(name, check, settings)]
    for name, check in FARM.items():
        said = _tried(name, check, settings)
        found += said
        if name == "servers" and any(one.level == "bad" for one in said):
            break  # nobody could answer the rest
    return found


def _tried(name: str, check: Check, settings: Settings) -> Sequence[Finding]:
    try:
        return list(check(settings))
    except LedgerDown as error:
        return [bad(name, str(error), "farm up --detach")]
    except FarmError as error:
        return [bad(name, str(error), "")]
