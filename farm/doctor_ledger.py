"""Check the farm itself: its servers and what they may lose, who works and of which version."""

import time
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

from farm import about, cli_print, embedded, keys, running, sweeper
from farm.address import is_redis, shown
from farm.errors import LedgerDown, WrongPassword
from farm.finding import Finding, ok, warn
from farm.finding import bad as broken
from farm.keyring import Keyring
from farm.ledger import Ledger
from farm.remains import Remains
from farm.server import ADVICE, Server, evicting
from farm.settings import Settings

#: Seconds that clocks may differ before deadlines come noticeably early or late, or absurdly so.
CLOCKS_DIFFER, CLOCKS_ASTRAY = 1.0, 60.0
#: A sweep is late after so many times the time between two.
LATE = 3


def servers(settings: Settings) -> Iterator[Finding]:
    """Yield whether each server answers."""
    for name, url in _servers(settings).items():
        try:
            Server.at(url).info()
        except (LedgerDown, WrongPassword) as error:
            step = "check its address" if settings.ledger_url else "farm up --detach"
            yield broken(name, str(error), step)
        else:
            yield ok(name, f"{shown(url)} answers")


def eviction(settings: Settings) -> Iterator[Finding]:
    """Yield whether a server throws away what it was given once its memory is full."""
    found = []
    for name, url in _servers(settings).items():
        if policy := evicting(Server.at(url).info()):
            found.append(f"{name} ({policy})")
    if found:
        said = f"keys are evicted by {', '.join(found)}"
        yield broken("eviction", said, f"{ADVICE} there")
    else:
        yield ok("eviction", "none (noeviction)")


def persistence(settings: Settings) -> Iterator[Finding]:
    """Yield what the ledger may lose when the power fails."""
    if loses := Server.at(embedded.urls(settings).ledger).check():
        yield warn("persistence", loses, "give the ledger appendonly yes, appendfsync always")
    else:
        yield ok("persistence", "accepted work is on the disk: nothing is lost at power loss")


def clock(settings: Settings) -> Iterator[Finding]:
    """Yield how far this machine's clock is from the ledger's."""
    remains = Remains.at(embedded.urls(settings).ledger)
    remains.now()  # connects
    off = abs(remains.now() - time.time())
    said, step = f"{off:.1f} s from the ledger's", "set the clock (NTP)"
    if off >= CLOCKS_ASTRAY:
        yield broken("clock", said, step)
    elif off >= CLOCKS_DIFFER:
        yield warn("clock", said, step)
    else:
        yield ok("clock", said)


def store(settings: Settings) -> Iterator[Finding]:
    """Yield whether the blobs here are the ledger's."""
    here = sweeper.store_of(settings)
    about.check(_ledger(settings), here)
    yield ok("store", f"{here.root} (id {here.known() or 'none yet'})")


def sweep(settings: Settings) -> Iterator[Finding]:
    """Yield when what nobody needs was deleted last."""
    ledger = _ledger(settings)
    known = about.read(ledger)
    if not settings.sweep_minutes:
        yield warn("sweep", "switched off: blobs are never deleted", "set FARM_SWEEP_MINUTES")
        return
    about.check_sweep(ledger, sweeper.store_of(settings))
    if "swept" not in known:
        yield ok("sweep", f"none yet, one every {settings.sweep_minutes:g} min")
        return
    when = float(known["swept"])
    said = f"{cli_print.ago(when)}: {known.get('swept_text', '')}"
    if time.time() - when > LATE * settings.sweep_minutes * 60:
        yield warn("sweep", said, f"see {settings.state}/logs/sweeper.log")
    else:
        yield ok("sweep", said)


def scheduler(settings: Settings) -> Iterator[Finding]:
    """Yield whether somebody schedules."""
    ledger = _ledger(settings)
    holder, open_jobs = ledger.calls([("GET", keys.SCHEDULER), ("SCARD", keys.OPEN)])
    jobs = f"{open_jobs} jobs open"
    if holder:
        yield ok("scheduler", f"{holder}, {jobs}")
    else:
        yield broken("scheduler", f"nobody schedules, {jobs}", "farm up --detach")


def slots(settings: Settings) -> Iterator[Finding]:
    """Yield how many slots are up, and which processes of this machine are not."""
    kinds = Counter(slot.kind for slot in _ledger(settings).slots())
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())) or "none is up"
    status = running.status(settings.state)
    down = [one.name for one in status.processes if one.state != "running"] if status else []
    if down:
        said += f"; not running: {', '.join(down)}"
        yield warn("slots", said, f"see {settings.state}/logs/{down[0]}.log")
    elif not kinds:
        yield broken("slots", said, "farm up --detach")
    else:
        yield ok("slots", said)


def versions(settings: Settings) -> Iterator[Finding]:
    """Yield whether workers, scheduler and this command are of one version."""
    ledger = _ledger(settings)
    own, scheduling = about.version(), about.read(ledger).get("scheduler", "")
    found = ledger.slots()
    others = {slot.name: slot.farm for slot in found if slot.farm != own}
    if scheduling != own:
        others["scheduler"] = scheduling
    hosts = {slot.host for slot in found if slot.host}
    if others:
        name, theirs = next(iter(others.items()))
        said = f"{len(others)} of {len(found) + 1} run another farm ({name}: {theirs or 'none'})"
        yield warn("versions", f"{said}, this is {own}", "farm down && farm up --detach")
    elif len(hosts) > 1:
        said = f"hosts differ: {'; '.join(sorted(hosts))}"
        yield warn("versions", said, "build the same farm-host on all machines")
    else:
        yield ok("versions", f"all of {len(found)} slots and the scheduler run {own}")


def api(settings: Settings) -> Iterator[Finding]:
    """Yield who could use the API, and whether what they say could be overheard."""
    if not settings.api:
        yield ok("api", "off (setting api)")
        return
    good = sum(not key.revoked for key in Keyring(_ledger(settings)).all())
    said = f"port {settings.api_port} of {settings.api_address}, {good} keys"
    if not (ip_address(settings.api_address).is_loopback or settings.api_certificate):
        step = "set api_certificate and api_certificate_key, or listen on 127.0.0.1 behind a proxy"
        yield warn("api", f"{said}; keys and inputs cross the network in the clear", step)
    else:
        yield ok("api", said)


def _servers(settings: Settings) -> dict[str, str]:
    known = embedded.urls(settings)._asdict()
    return {name: url for name, url in known.items() if is_redis(url)}


def _ledger(settings: Settings) -> Ledger:
    return Ledger.at(embedded.urls(settings).ledger)
