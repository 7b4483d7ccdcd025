"""Say what a check has found: in order, worth a look, or broken, and what to do about it."""

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


class Finding(msgspec.Struct, frozen=True):
    """What one check has found; `step` is what to do next, "" for nothing."""

    name: str
    level: Level
    said: str
    step: str = ""


def ok(name: str, said: str) -> Finding:
    """Return a finding that all is well."""
    return Finding(name, Level.OK, said)


def warn(name: str, said: str, step: str) -> Finding:
    """Return a finding that something could be better."""
    return Finding(name, Level.WARN, said, step)


def bad(name: str, said: str, step: str) -> Finding:
    """Return a finding that something does not work, or loses what it was given."""
    return Finding(name, Level.BAD, said, step)
