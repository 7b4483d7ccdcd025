"""Who is asked to be in a set: whoever cannot be is named with the reason, the others go on."""

import pytest
from sessions import hexed, spec

from farm.asked import Candidates
from farm.errors import UnknownJob
from farm.job import Asked, JobView, State
from farm.receipt import Receipt

PROOF = Receipt(b"proof", b"", hexed("image"), "")


def view(id, state=State.RUNNING, **given):
    error = {"code": "GuestPanicked", "facts": ["why"]} if state is State.FAILED else {}
    return JobView(id=id, state=state, spec=spec(id, **given), **error)


@pytest.fixture
def read():
    jobs = {
        "runs": view("runs"),
        "failed": view("failed", State.FAILED),
        "theirs": view("theirs", namespace="theirs"),
        "executed": view("executed", kind="execute", receipt="execute"),
        "composite": view("composite", receipt="composite"),
    }

    def status(id):
        if id not in jobs:
            raise UnknownJob(id)
        return jobs[id]

    bodies = {}
    made = Candidates(status, "default", "succinct", bodies)
    return lambda *given: (made.read(given), bodies)


def test_a_receipt_is_stored_and_named_by_its_digest(read):
    (asked, raw), bodies = read(PROOF, b"other")
    assert asked.image_id == hexed("image") and raw.image_id == ""
    assert bodies == {asked.name: b"proof", raw.name: b"other"}


@pytest.mark.parametrize("raw", [b"PFT1..", b"PFS1.."])
def test_what_only_plays_a_receipt_is_refused_and_not_stored(read, raw):
    (asked,), bodies = read(raw)
    assert asked.code == "WrongKind" and not bodies


@pytest.mark.parametrize(
    ("id", "code"),
    [
        ("runs", ""),
        ("failed", "GuestPanicked"),
        ("theirs", "UnknownJob"),
        ("nobody", "UnknownJob"),
        ("executed", "NoReceipt"),
        ("composite", "WrongKind"),
    ],
)
def test_a_job_is_in_it_unless_it_can_be_told_by_now_that_it_will_not_be(read, id, code):
    (asked,), _ = read(id)
    assert (asked.name, asked.code) == (id, code)


def test_the_order_is_that_of_the_request(read):
    asked, _ = read("runs", "nobody", b"proof", "runs")
    assert [one.name for one in asked][0::3] == ["runs", "runs"]
    assert all(isinstance(one, Asked) for one in asked)
