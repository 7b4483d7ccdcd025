"""The verifier: a verdict for whatever is asked, from a child that may die on it."""

import queue
import threading
from types import SimpleNamespace

import msgspec
import pytest

from farm import batched, played, set_builder, verifier
from farm.blobs import DirectoryBlobs
from farm.errors import (
    BadReceipt,
    BlobMissing,
    HostDied,
    HostFailed,
    HostMismatch,
    HostMissing,
    WrongClaim,
    WrongKind,
)
from farm.events import Finalized, Refused, Verified
from farm.instructions import Commit, Divide, Finalize, Gather, Inspect, Verify
from farm.members import Entry
from farm.set_builder import Member
from farm.verifier import TRIES, Verifier
from farm.wire import Assumed


class Child:
    """A host child that answers from a list."""

    alive = True

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def request(self, verb, args, parts, seconds):
        self.asked.append((verb, args, parts))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            self.alive = not isinstance(answer, HostDied)
            raise answer
        return SimpleNamespace(parts=answer)

    def kill(self):
        self.alive = False

    close = kill


@pytest.fixture
def blobs(tmp_path):
    return DirectoryBlobs(tmp_path)


@pytest.fixture
def ask(blobs):
    def ask(asked, *answers):
        reports = queue.Queue()
        children = []

        def start():
            children.append(Child(left))
            return children[-1]

        left = list(answers)
        verifier = Verifier(start, blobs, reports.put)
        try:
            verifier.ask(asked)
            return reports.get(timeout=5), children
        finally:
            verifier.close()

    return ask


def test_a_receipt_of_its_claim_is_verified(ask, blobs):
    ref = blobs.put(b"receipt")
    verdict, (child,) = ask(Verify("s", "prove:0-1", 2, ref, "claim"), [])
    assert verdict == Verified("s", "prove:0-1", 2, ref)
    assert child.asked == [("verify", {"form": "succinct", "claim": "claim"}, [b"receipt"])]


def test_a_receipt_of_something_else_is_refused(ask, blobs):
    error = WrongClaim("this", "that")
    verdict, _ = ask(Verify("s", "prove:0-1", 2, blobs.put(b"r"), "claim"), error)
    assert verdict == Refused("s", "prove:0-1", 2, error)


def test_receipts_are_checked_side_by_side(blobs):
    both = threading.Barrier(2, timeout=5)

    class Slow(Child):
        def request(self, verb, args, parts, seconds):
            both.wait()  # nobody comes out alone
            return super().request(verb, args, parts, seconds)

    reports = queue.Queue()
    verifier = Verifier(lambda: Slow([[]]), blobs, reports.put, threads=2)
    asked = [Verify("s", f"prove:{n}-{n + 1}", 1, blobs.put(b"receipt"), "claim") for n in (0, 1)]
    for one in asked:
        verifier.ask(one)
    found = {reports.get(timeout=5).step for _ in asked}
    verifier.close()
    assert found == {"prove:0-1", "prove:1-2"}


def test_what_makes_the_verifier_fail_is_no_receipt(ask, blobs):
    error = HostFailed("verify", "panicked")
    verdict, _ = ask(Verify("s", "prove:0-1", 2, blobs.put(b"r"), "claim"), error)
    assert isinstance(verdict.error, BadReceipt)


def test_a_receipt_that_is_not_there_is_missing(ask):
    verdict, children = ask(Verify("s", "prove:0-1", 2, "ab" * 32 + "-1", "claim"))
    assert isinstance(verdict.error, BlobMissing)
    assert children == []


def test_a_child_that_dies_is_replaced_a_few_times(ask, blobs):
    died = HostDied("verify", "signal SIGKILL", "")
    asked = Verify("s", "prove:0-1", 2, blobs.put(b"r"), "claim")
    verdict, children = ask(asked, died, died, [])
    assert isinstance(verdict, Verified)
    assert len(children) == TRIES
    verdict, _ = ask(asked, *[died] * TRIES)
    assert verdict.error is died


def test_while_there_is_no_host_nothing_is_refused(blobs, monkeypatch):
    monkeypatch.setattr(verifier, "PAUSE", 0.01)
    starts, reports = [HostMissing("nowhere"), HostMismatch("a", "b", "c")], queue.Queue()

    def start():
        if starts:
            raise starts.pop()
        return Child([[]])

    asked = Verify("s", "prove:0-1", 1, blobs.put(b"a receipt"), "cd" * 32)
    checking = Verifier(start, blobs, reports.put)
    checking.ask(asked)
    assert isinstance(reports.get(timeout=5), Verified) and not starts
    checking.close()


def test_the_root_becomes_a_receipt_in_the_store(ask, blobs):
    asked = Finalize("s", "11" * 32, (blobs.put(b"root"),), blobs.put(b"journal"))
    verdict, (child,) = ask(asked, [b"whole"])
    assert verdict == Finalized("s", blobs.put(b"whole"))
    how = {"image_id": "11" * 32, "receipt": "succinct", "assumptions": []}
    assert child.asked == [("finalize", how, [b"root", b"journal"])]


def test_a_composite_receipt_is_made_of_all_its_parts(ask, blobs):
    roots = tuple(blobs.put(body) for body in (b"one", b"two", b"relied on"))
    assumed = Assumed("claim", "root", "digest", roots[2])
    asked = Finalize("s", "11" * 32, roots, blobs.put(b"journal"), "composite", (assumed,))
    _, (child,) = ask(asked, [b"whole"])
    ((_, how, parts),) = child.asked
    assert how["receipt"] == "composite"
    assert how["assumptions"] == [{"claim": "claim", "control_root": "root"}]
    assert parts == [b"one", b"two", b"relied on", b"journal"]


def test_a_receipt_is_verified_as_what_it_is(ask, blobs):
    asked = Verify("s", "keccak:0-1", 1, blobs.put(b"receipt"), "claim", "keccak")
    _, (child,) = ask(asked, [])
    assert child.asked[0][1] == {"form": "keccak", "claim": "claim"}


def test_whatever_goes_wrong_is_reported(ask, blobs):
    asked = Finalize("s", "11" * 32, (blobs.put(b"root"),), blobs.put(b"journal"))
    for error in (HostMissing("nowhere"), WrongClaim("this", "that")):
        assert ask(asked, error)[0] == Finalized("s", error=error)
    assert "IndexError" in str(ask(asked, [])[0].error)


def test_what_was_only_executed_becomes_a_commitment_and_needs_no_host(ask, blobs):
    asked = Commit("s", "11" * 32, "22" * 32, blobs.put(b"journal"), 2873)
    verdict, children = ask(asked)
    assert children == []
    says, journal = played.read(blobs.get(verdict.receipt), "11" * 32)
    assert (says.input, says.cycles, journal) == ("22" * 32, 2873, b"journal")
    gone = Commit("s", "11" * 32, "22" * 32, "ab" * 32 + "-1", 2873)
    assert isinstance(ask(gone)[0].error, BlobMissing)


def shown(claim, journal=b"journal", kind="succinct", pre="ab" * 32):
    """Return what a child says of a receipt."""
    done = {"kind": kind, "digest": claim, "claim": {"pre": pre} if pre else None}
    return SimpleNamespace(parts=[journal], done=done)


class Says(Child):
    def request(self, verb, args, parts, seconds):
        self.asked.append((verb, args, parts))
        return self.answers.pop(0)


MEMBER = Member.of("ab" * 32, b"journal")


def inspect(blobs, says, image_id="", kind="succinct", raw=b"receipt"):
    reports = queue.Queue()
    verifier = Verifier(lambda: Says([says]), blobs, reports.put)
    verifier.ask(Inspect("s", blobs.put(raw), image_id, kind))
    found = reports.get(timeout=5).shown
    verifier.close()
    return found


@pytest.mark.parametrize("image_id", ["", "ab" * 32])
def test_a_receipt_is_of_the_program_and_the_journal_that_it_shows(blobs, image_id):
    member, journal = inspect(blobs, shown(MEMBER.claim), image_id)
    assert member == MEMBER and blobs.get(journal) == b"journal"


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (shown(MEMBER.claim, kind="composite"), WrongKind),
        (shown("cd" * 32), WrongClaim),
        (shown(MEMBER.claim, pre=None), WrongClaim),
        (shown(MEMBER.claim, journal=b"another"), WrongClaim),
    ],
)
def test_what_cannot_be_a_member_is_refused_by_name(blobs, says, error):
    assert isinstance(inspect(blobs, says), error)


def test_a_trace_is_looked_at_without_a_host(blobs):
    raw = played.write("ab" * 32, "cd" * 32, 7, b"journal")
    member, _ = inspect(blobs, None, kind="trace", raw=raw)
    assert member == MEMBER
    assert isinstance(inspect(blobs, None, "ef" * 32, "trace", raw), WrongClaim)


def test_what_a_set_reads_and_who_is_in_it_are_stored(ask, blobs):
    entries = (
        Entry("b", 1, "ab" * 32, "02" * 32),
        Entry("no", code="BadReceipt", facts=["why"]),
        Entry("a", 0, "ab" * 32, "01" * 32),
        Entry("again", 1, "ab" * 32, "02" * 32),
    )
    told, _ = ask(Gather("s", "5e" * 32, entries))
    members = [Member("ab" * 32, "01" * 32), Member("ab" * 32, "02" * 32)]
    assert blobs.get(told.gathered.input) == set_builder.stdin("5e" * 32, members)
    assert msgspec.json.decode(blobs.get(told.gathered.members), type=list[Entry]) == [*entries]


def test_a_journal_is_divided_or_refused(ask, blobs):
    ref = blobs.put(batched.journal([(b"one", b"1"), (b"two", b"22")]))
    told, _ = ask(Divide("s", ref))
    assert [blobs.get(output) for _, output in told.found] == [b"1", b"22"]
    told, _ = ask(Divide("s", blobs.put(b"no list")))
    assert isinstance(told.found, BadReceipt)
