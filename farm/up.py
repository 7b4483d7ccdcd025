"""Bring a farm up on this machine: checks first, then the supervisor."""

import errno
import os
import platform
import socket
from collections.abc import Sequence

import msgspec
import psutil

from farm import about, address, embedded, flower, hosts, pin, private, processes, running
from farm.child import Child
from farm.errors import PortInUse
from farm.probe import Probe
from farm.processes import Machine, Process, Stage
from farm.report import Report, Say
from farm.server import Server, named_errors
from farm.settings import Settings
from farm.store import Store
from farm.supervise import Supervisor

NO_HOST = "no farm-host: RISC0 proving is off (trace works); build it with make host"
SIMULATED = "simulated by profile {}: nothing is proved, receipts are of kind simulated"


def up(settings: Settings, say: Say) -> None:
    """Run the farm until a signal ends it.

    Raises AlreadyRunning, PortInUse, StartFailed, or what is wrong with a given ledger.
    """
    with running.hold(settings.state):
        notes = check(settings)
        servers = embedded.servers(settings)
        for server in servers:
            server.prepare()
        try:
            _supervisor(settings, servers, notes, say).run()
        finally:
            for server in servers:
                server.tidy()


def check(settings: Settings) -> list[str]:
    """Return what the operator should know, before anything is started.

    Raises PortInUse, HostMissing, BadSetting, or what is wrong with a given ledger.
    """
    if settings.flower:
        advice = "give Flower another port in FARM_FLOWER_PORT, or none with --no-flower"
        _check_port(flower.ADDRESS, settings.flower_port, advice)
    if settings.api:
        advice = "give the API another one in FARM_API_PORT, or none with --no-api"
        _check_port(settings.api_address, settings.api_port, advice)
    notes = [] if hosts.there(settings) else [NO_HOST]
    if settings.simulated:
        notes.append(SIMULATED.format(settings.simulated))
    if warning := check_servers(settings):
        notes.append(warning)
    return notes


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment of the farm's processes, which gives them the same settings."""
    given = settings.model_fields_set | {"state"}
    ours = {f"FARM_{name.upper()}": _text(getattr(settings, name)) for name in given}
    return {**os.environ, **ours, "PYTHONUNBUFFERED": "1"}


def _text(value: object) -> str:
    if not isinstance(value, dict):
        return str(value)
    return msgspec.json.encode(value, enc_hook=lambda quota: quota.model_dump()).decode()


def _supervisor(
    settings: Settings, servers: Sequence[embedded.Server], notes: Sequence[str], say: Say
) -> Supervisor:
    table = [Process(server.name, server.command(), Stage.SERVER) for server in servers]
    table += processes.table(settings, _machine(settings), proving=hosts.there(settings))
    logs, env = private.folder(settings.state / "logs"), environment(settings)
    report = Report(settings, notes, say)
    report.children = [Child(one, logs / f"{one.name}.log", env) for one in table]
    return Supervisor(
        report.children,
        Probe(settings, servers).answered,
        report,
        worker_seconds=settings.stop_seconds,
    )


def _machine(settings: Settings) -> Machine:
    name = processes.machine_name(settings, platform.node())
    return Machine(name, len(pin.cores()), psutil.virtual_memory().total)


def check_servers(settings: Settings) -> str:
    """Return a warning about what a given ledger may lose, or "".

    Raises LedgerDown or WrongPassword for any server that was given, UnsafeLedger for the ledger,
    WrongStore for that of another farm.
    """
    others: Sequence[str] = (settings.broker_url, settings.scratch_url)
    if settings.ledger_url:
        others = embedded.urls(settings)[1:]
    for url in others:
        # What only Celery can read is left to Celery.
        if address.is_redis(url):
            server = Server.at(url)
            with named_errors(server.where):
                server.client.ping()
    if not settings.ledger_url:
        return ""
    ledger = Server.at(settings.ledger_url)
    warning = ledger.check()
    about.claim(ledger, Store(settings.state / "blobs"))
    return warning


def _check_port(address: str, port: int, advice: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        # As its server binds it: a port that only lingers after its last user is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
            raise PortInUse(f"port {port}", advice) from error
