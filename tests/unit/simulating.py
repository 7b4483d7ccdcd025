"""Ask a simulated host without time: whole sessions through its verbs."""

import json
from typing import NamedTuple

from farm import simulated_verbs
from farm.simulated_execution import execute
from farm.simulated_profile import load

PROFILE = load("rtx5090")
PROGRAM = b"any program"


class Ran(NamedTuple):
    """What an execution put out."""

    segments: list
    requests: list
    done: dict
    parts: list


def run(po2=21, entropy="e", relied_on=(), limits=None, **guest):
    """Return what comes of executing a guest."""
    stdin = json.dumps(guest).encode()
    args = {"po2": po2, "keccak": True} | (limits or {})
    found = list(execute(PROFILE, args, [PROGRAM, stdin, *relied_on], entropy))
    end = found.pop()
    assert end.what == "done"
    by_kind = {kind: [one for one in found if one.what == kind] for kind in ("segment", "keccak")}
    return Ran(by_kind["segment"], by_kind["keccak"], end.facts, end.parts)


def ask(verb, *parts, kept=None, **args):
    """Return what a verb answers."""
    return simulated_verbs.answer(verb, PROFILE, args, parts, set() if kept is None else kept)


def prove(segment):
    """Return the lifted receipt of a segment."""
    claim = segment.facts["digest"]
    proof = ask("prove", *segment.parts, claim=claim).parts
    return ask("lift", *proof, claim=claim).parts[0]


def joined(ran):
    """Return the receipt of a whole session."""
    root, *others = [prove(segment) for segment in ran.segments]
    for other in others:
        root = ask("join", root, other).parts[0]
    return root


def whole(ran):
    """Return the final receipt of a session that relied on nothing."""
    image = simulated_verbs.image_id(PROGRAM)
    return ask("finalize", joined(ran), ran.parts[0], image_id=image).parts[0]
