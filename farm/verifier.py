"""Check what workers delivered, before it is bound: on a thread, with a host child of its own.

A receipt counts only if it verifies and its claim is the recorded one. The verdict comes back
as an event.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import structlog

from farm.blobs import BlobStore
from farm.errors import BadReceipt, FarmError, HostDied, HostFailed
from farm.events import Event, Finalize, Finalized, Refused, Verified, Verify
from farm.host import Answer, HostChild

log = structlog.get_logger()

#: Seconds that one check may take.
SECONDS = 120.0
#: A child that dies is asked again: it may be the machine's fault, not the receipt's.
TRIES = 3


class Verifier:
    """One thread, one host child, started when there is something to check."""

    def __init__(
        self, start: Callable[[], HostChild], blobs: BlobStore, report: Callable[[Event], None]
    ) -> None:
        self._start, self._blobs, self._report = start, blobs, report
        self._child: HostChild | None = None
        self._closed = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="verifier")

    def ask(self, asked: Verify | Finalize) -> None:
        """Report Verified or Refused, or else Finalized, some time later."""
        self._thread.submit(self._answer, asked)

    def close(self) -> None:
        """Drop what has not begun, and end the child."""
        self._closed = True
        self._thread.shutdown(wait=False, cancel_futures=True)
        if self._child:
            self._child.kill()
        self._thread.shutdown()
        if self._child:
            self._child.close()

    def _answer(self, asked: Verify | Finalize) -> None:
        try:
            event = self._verify(asked) if isinstance(asked, Verify) else self._finalize(asked)
        except Exception as error:
            log.exception("verifier failed", session=asked.session)
            event = _refusal(asked, FarmError(f"verifier: {type(error).__name__}: {error}"))
        if not self._closed:
            self._report(event)

    def _verify(self, asked: Verify) -> Event:
        try:
            self._request("verify", {"form": "succinct", "claim": asked.claim}, [asked.ref])
        except HostFailed as error:
            return _refusal(asked, BadReceipt(f"the verifier failed on it: {error}"))
        except FarmError as error:
            return _refusal(asked, error)
        return Verified(asked.session, asked.step, asked.attempt, asked.ref)

    def _finalize(self, asked: Finalize) -> Event:
        try:
            args, refs = {"image_id": asked.image_id}, [asked.root, asked.journal]
            receipt = self._request("finalize", args, refs).parts[0]
            return Finalized(asked.session, self._blobs.put(receipt))
        except FarmError as error:
            return _refusal(asked, error)

    def _request(self, verb: str, args: dict[str, str], refs: list[str]) -> Answer:
        parts = [self._blobs.get(ref) for ref in refs]
        for _ in range(TRIES - 1):
            with contextlib.suppress(HostDied):
                return self._running().request(verb, args, parts, seconds=SECONDS)
        return self._running().request(verb, args, parts, seconds=SECONDS)

    def _running(self) -> HostChild:
        if self._child is None or not self._child.alive:
            if self._child:
                self._child.close()
            self._child = self._start()
        return self._child


def _refusal(asked: Verify | Finalize, error: FarmError) -> Event:
    if isinstance(asked, Verify):
        return Refused(asked.session, asked.step, asked.attempt, error)
    return Finalized(asked.session, error=error)
