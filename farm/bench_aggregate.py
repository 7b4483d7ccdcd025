"""Measure what it costs to verify a member: alone, in a set, in a batch; and model the rest."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from farm import batched, mountain, set_builder, verify, verify_sets
from farm.errors import BadReceipt
from farm.host import HostChild
from farm.inclusion import Inclusion
from farm.offers import RECURSION
from farm.set_builder import Member

#: Real receipts, where this is run from a checkout.
GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
SIZES = (1, 2, 10, 100, 1000)
#: Times that each thing is done, of which the median counts.
TIMES = 31
#: Rows of one small Fibonacci, and cycles of many of them in one guest:
#: without any, and each (executed with 1 to 100 of 10 rounds, paging and reserve among them).
ALONE = 1 << 15
BATCH, EACH = 24_000, 1_000

#: Gas of a Groth16 root: four pairings and five public inputs by EIP-1108, 260 bytes of call data.
_DATA = 16  # a byte of call data, EIP-2028
GROTH16 = 45_000 + 4 * 34_000 + 5 * (6_000 + 150) + 260 * _DATA
#: Gas of hashing two words (Ethereum yellow paper), of a node that leads to the root.
NODE = 30 + 2 * 6


class Line(NamedTuple):
    """What one member costs, of so many; `work` in cycles of proving, the rest as named."""

    members: int
    way: str
    work: float
    verify_s: float
    bytes: float
    gas: float


class Found(NamedTuple):
    """The table, and each goal: what, figure, bound."""

    lines: list[Line]
    goals: list[tuple[str, float, float]]

    @property
    def met(self) -> bool:
        """Whether no goal is missed."""
        return all(figure >= bound for _, figure, bound in self.goals)


def run() -> Found:
    """Return what was found; raises BadReceipt outside a checkout, HostMissing without a host."""
    single, root = _golden("one"), _golden("set")
    with verify.host() as child:
        alone = _took(lambda: _verify(child, *single))
        whole = _took(lambda: _verify(child, *root))
    lines = [line for n in SIZES for line in _lines(n, alone, whole, len(single[0]), len(root[0]))]
    by = {(line.members, line.way): line for line in lines}

    def gain(count: int, column: str) -> float:
        one, many = by[count, "single"], by[count, "aggregated"]
        return float(getattr(one, column) / getattr(many, column))

    fifty = 50 * (ALONE + RECURSION) / _batch_work(50)
    goals = [
        ("verify time a member, 10 in a set, times cheaper", gain(10, "verify_s"), 9.0),
        ("verify time a member, 100 in a set, times cheaper", gain(100, "verify_s"), 80.0),
        ("bytes a member, 10 in a set, times smaller", gain(10, "bytes"), 9.0),
        ("work of fifty small jobs in a batch, times less", fifty, 10.0),
    ]
    return Found(lines, goals)


def _lines(count: int, alone: float, whole: float, single: int, root: int) -> list[Line]:
    work, gas = ALONE + RECURSION, GROTH16
    members, outputs = _members(count), _journal(count)
    inside = whole + _took(lambda: _all_included(members))
    sizes = [len(one.encode()) for one in members]
    seal = len(members[-1].seal())
    node = (seal * _DATA) + len(members[-1].path) * NODE
    shared = alone + _took(lambda: batched.outputs(outputs))
    data = _DATA * len(outputs)
    return [
        Line(count, "single", work, alone, single, gas),
        Line(count, "aggregated", work + _set_work(count) / count, inside / count,
             (root + sum(sizes)) / count, gas / count + node),
        Line(count, "batched", _batch_work(count) / count, shared / count,
             (single + len(outputs)) / count, (gas + data) / count),
    ]  # fmt: skip


def _set_work(count: int) -> int:
    """Return the cycles of proving beside those of the members: unions, builder, resolve."""
    full, rest = divmod(set_builder.cycles(count) + set_builder.RESERVED, set_builder.SEGMENT)
    rows, segments = full * set_builder.SEGMENT + _rows(rest), full + 1
    return rows + RECURSION * (segments + (segments - 1) + (count - 1) + 1)


def _batch_work(count: int) -> int:
    return _rows(BATCH + EACH * count) + RECURSION


def _rows(cycles: int) -> int:
    return int(1 << (cycles - 1).bit_length())


def _members(count: int) -> list[Inclusion]:
    """Return as many members of one set as there would be, each with a journal of its own."""
    image, own = "ab" * 32, set_builder.IMAGE_ID
    journals = [number.to_bytes(8, "little") for number in range(count)]
    paths = mountain.paths([Member.of(image, one).claim for one in journals])
    return [Inclusion(own, image, *pair) for pair in zip(journals, paths, strict=True)]


def _all_included(members: list[Inclusion]) -> None:
    journal = members[0].root_journal
    for one in members:
        verify_sets.included(one, one.image_id, journal)


def _journal(count: int) -> bytes:
    pairs = [(number.to_bytes(20, "little"), bytes(8)) for number in range(count)]
    return batched.journal(pairs)


def _golden(session: str) -> tuple[bytes, str]:
    try:
        known = json.loads((GOLDEN / "sessions.json").read_text())[session]
        return (GOLDEN / known["receipt"]).read_bytes(), known["image_id"]
    except OSError as error:
        raise BadReceipt(f"no real one is here to be measured ({error.strerror})") from error


def _verify(child: HostChild, receipt: bytes, image: str) -> None:
    child.request("verify", {"form": "receipt", "image_id": image}, [receipt])


def _took(work: Callable[[], object]) -> float:
    """Return the median seconds that some work takes."""
    took = []
    for _ in range(TIMES):
        mountain.forget()
        began = time.perf_counter()
        work()
        took.append(time.perf_counter() - began)
    return median(took)
