"""Check what workers delivered, before it is bound: on threads, with a host child for each.

A receipt counts only if it verifies and its claim is the recorded one. The verdict comes back
as an event.
"""

import contextlib
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import structlog

from farm import batched, played, set_builder
from farm.blobs import BlobStore
from farm.claim import ZERO
from farm.errors import (
    BadReceipt,
    FarmError,
    HostDied,
    HostFailed,
    HostMismatch,
    HostMissing,
    WrongClaim,
    WrongKind,
)
from farm.events import Divided, Event, Finalized, Inspected, Refused, SetGathered, Verified
from farm.host import Answer
from farm.hosts import Host
from farm.instructions import Commit, Divide, Finalize, Gather, Inspect, Verify
from farm.session import Gathered
from farm.set_builder import Member

log = structlog.get_logger()

#: What the verifier is asked to do.
Asked = Verify | Finalize | Commit | Inspect | Gather | Divide

#: Seconds that one check may take.
SECONDS = 120.0
#: A child that dies is asked again: it may be the machine's fault, not the receipt's.
TRIES = 3
#: Seconds between two looks for a host, while there is none that can be used.
PAUSE = 1.0


class Verifier:
    """So many threads with a host child each, started when there is something to check."""

    def __init__(
        self,
        start: Callable[[], Host],
        blobs: BlobStore,
        report: Callable[[Event], None],
        threads: int = 1,
    ) -> None:
        self._start, self._blobs, self._report = start, blobs, report
        #: By the thread that asks it.
        self._children: dict[int, Host] = {}
        self._closed = False
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="verifier")
        # A set may have thousands to be looked at, and nobody's steps wait for these.
        self._inspecting = ThreadPoolExecutor(threads, thread_name_prefix="inspector")

    def ask(self, asked: Asked) -> None:
        """Report Verified or Refused, or else Finalized, some time later."""
        threads = self._inspecting if isinstance(asked, Inspect) else self._threads
        threads.submit(self._answer, asked)

    def close(self) -> None:
        """Drop what has not begun, and end the children."""
        self._closed = True
        pools = (self._threads, self._inspecting)
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for child in list(self._children.values()):
            child.kill()
        for pool in pools:
            pool.shutdown()
        for child in self._children.values():
            child.close()

    def _answer(self, asked: Asked) -> None:
        try:
            event = self._event(asked)
        except Exception as error:
            log.exception("verifier failed", session=asked.session)
            event = _refusal(asked, FarmError(f"verifier: {type(error).__name__}: {error}"))
        if not self._closed:
            self._report(event)

    def _event(self, asked: Asked) -> Event:
        try:
            if isinstance(asked, Verify):
                self._verify(asked)
                return Verified(asked.session, asked.step, asked.attempt, asked.ref)
            if isinstance(asked, Inspect):
                return Inspected(asked.session, asked.ref, self._inspect(asked))
            if isinstance(asked, Gather):
                return SetGathered(asked.session, self._gather(asked))
            if isinstance(asked, Divide):
                return Divided(asked.session, self._divide(asked))
            made = self._commit(asked) if isinstance(asked, Commit) else self._finalize(asked)
            return Finalized(asked.session, self._blobs.put(made))
        except FarmError as error:
            return _refusal(asked, error)

    def _verify(self, asked: Verify) -> None:
        try:
            self._request("verify", {"form": asked.form, "claim": asked.claim}, [asked.ref])
        except HostFailed as error:
            raise BadReceipt(f"the verifier failed on it: {error}") from error

    def _inspect(self, asked: Inspect) -> tuple[Member, str]:
        if asked.kind == "trace":
            says, journal = played.read(self._blobs.get(asked.ref), asked.image_id or None)
            return Member(says.image_id, says.journal), self._blobs.put(journal)
        args = {"form": "receipt"} | ({"image_id": asked.image_id} if asked.image_id else {})
        answer = self._request("verify", args, [asked.ref])
        if answer.done["kind"] != asked.kind:
            raise WrongKind(answer.done["kind"], asked.kind)
        claim, journal = answer.done["claim"], b"".join(answer.parts)
        member = Member.of(asked.image_id or (claim or {}).get("pre", ZERO), journal)
        if member.claim != answer.done["digest"]:  # it relies on something, or ended badly
            raise WrongClaim(f"claim {answer.done['digest']}", f"claim {member.claim}")
        return member, self._blobs.put(journal)

    def _gather(self, asked: Gather) -> Gathered:
        members = {entry.place: Member(entry.image_id, entry.digest) for entry in asked.members}
        places = sorted(place for place in members if place >= 0)
        stdin = set_builder.stdin(asked.image_id, [members[place] for place in places])
        roster = msgspec.json.encode(asked.members)
        return Gathered(self._blobs.put(stdin), self._blobs.put(roster))

    def _divide(self, asked: Divide) -> tuple[tuple[str, str], ...]:
        found = batched.outputs(self._blobs.get(asked.journal))
        return tuple((one.digest, self._blobs.put(one.output)) for one in found)

    def _finalize(self, asked: Finalize) -> bytes:
        relied = [{"claim": a.claim, "control_root": a.control_root} for a in asked.assumptions]
        args = {"image_id": asked.image_id, "receipt": asked.kind, "assumptions": relied}
        return self._request("finalize", args, [*asked.roots, asked.journal]).parts[0]

    def _commit(self, asked: Commit) -> bytes:
        journal = self._blobs.get(asked.journal)
        return played.write(asked.image_id, asked.input, asked.cycles, journal)

    def _request(self, verb: str, args: dict[str, Any], refs: list[str]) -> Answer:
        parts = [self._blobs.get(ref) for ref in refs]
        for _ in range(TRIES - 1):
            with contextlib.suppress(HostDied):
                return self._running().request(verb, args, parts, seconds=SECONDS)
        return self._running().request(verb, args, parts, seconds=SECONDS)

    def _running(self) -> Host:
        own = threading.get_ident()
        child = self._children.get(own)
        if child is None or not child.alive:
            if child:
                child.close()
            child = self._children[own] = self._started()
        return child

    def _started(self) -> Host:
        """Return a new host; waits for one that can be used, so that no job pays for its lack."""
        while not self._closed:
            try:
                return self._start()
            except (HostMissing, HostMismatch) as error:
                log.warning("nothing can be checked", why=str(error))
                time.sleep(PAUSE)
        raise HostDied("verify", "its kill", "the scheduler leaves")


def _refusal(asked: Asked, error: FarmError) -> Event:
    if isinstance(asked, Verify):
        return Refused(asked.session, asked.step, asked.attempt, error)
    if isinstance(asked, Inspect):
        return Inspected(asked.session, asked.ref, error)
    if isinstance(asked, Gather):
        return SetGathered(asked.session, error)
    if isinstance(asked, Divide):
        return Divided(asked.session, error)
    return Finalized(asked.session, error=error)
