"""Carry out what the scheduler says: each instruction is one call of the ledger or the verifier."""

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery

from farm import events as e
from farm.book import Book
from farm.chunks import Fail, Resend
from farm.errors import LedgerDown
from farm.outbox import Envelope
from farm.queue import length, queue_of, send_step
from farm.verifier import Verifier

log = structlog.get_logger()

#: Seconds between two tries to reach a broker that is away.
PAUSE = 1.0


class Carrier:
    """The scheduler's hands."""

    def __init__(self, book: Book, broker: Celery, verifier: Verifier) -> None:
        self._book, self._broker, self._verifier = book, broker, verifier
        self._progress: dict[str, e.Progress] = {}
        #: Whether the outbox may hold something, and when the broker can be asked again.
        self.unsent = True
        self._resume = 0.0

    def carry(self, instructions: list[e.Instruction], ack: str = "") -> None:
        """Do what is said, in order; the event `ack` is deleted with the last of it."""
        done = False
        for instruction in instructions:
            last = instruction is instructions[-1]
            done = _CARRIED[type(instruction)](self, instruction, ack if last else "")
        if ack and not done:
            self._book.ack(ack)

    def chunk(self, found: Resend | Fail) -> None:
        """Send a chunk of a trace batch again, or end the batch."""
        if isinstance(found, Fail):
            log.warning("batch failed", batch=found.batch, error=str(found.error))
            self._book.trace_fail(found.batch, found.error)
            return
        log.info("chunk sent again", batch=found.batch, step=found.step, tries=found.record.tries)
        self._book.send(found.batch, found.step, found.record, found.message)
        self.unsent = True

    def flush(self) -> None:
        """Tell the waiters how far their sessions are, and give Celery what is in the outbox."""
        for progress in self._progress.values():
            self._book.progress(progress.jobs, **progress.entry)
        self._progress.clear()
        if self.unsent and time.monotonic() >= self._resume:
            self._publish()

    def _publish(self) -> None:
        while messages := self._book.outbox():
            for text, message in messages:
                try:
                    self.hand(message)
                except LedgerDown as error:
                    log.warning("broker away", error=str(error))
                    self._resume = time.monotonic() + PAUSE
                    return
                self._book.published(text)
        self.unsent = False

    def hand(self, message: Envelope) -> None:
        """Give one message to Celery; raises LedgerDown."""
        send_step(self._broker, message.queue, message.task, message.kwargs, message.repr)

    def idle(self, queue: str) -> bool:
        """Return whether no message waits in a queue; raises LedgerDown."""
        return length(self._broker, queue) == 0

    # Each returns whether it has acknowledged the event.

    def _send(self, send: e.Send, ack: str) -> bool:
        message = send.message
        queue = queue_of(message.kind, message.slot)
        envelope = Envelope(queue, message.kind, message.kwargs(), str(message))
        log.info("sent", step=str(message), attempt=message.attempt, slot=message.slot)
        self.unsent = True
        return self._book.send(message.session, message.step, send.record, envelope, ack)

    def _bind(self, bind: e.Bind, ack: str) -> bool:
        return self._book.bind(bind.session, bind.step, bind.attempt, bind.ref, ack)

    def _unbind(self, unbind: e.Unbind, ack: str) -> bool:
        log.warning("output gone", session=unbind.session, step=unbind.step)
        self._book.unbind(unbind.session, unbind.step)
        return False

    def _discard(self, discard: e.Discard, ack: str) -> bool:
        log.warning("execution discarded", session=discard.session)
        self._book.discard(discard.session)
        return False

    def _close(self, close: e.Close, ack: str) -> bool:
        log.info("session ended", session=close.session, state=close.state, why=str(close.error))
        self._book.close(close, ack)
        return True

    def _finish(self, finish: e.Finish, ack: str) -> bool:
        log.info("job ended", job=finish.job, state=finish.state)
        self._book.finish(finish, ack)
        return True

    def _reattach(self, reattach: e.Reattach, ack: str) -> bool:
        self._book.reattach(reattach.job, reattach.session)
        return False

    def _tell(self, progress: e.Progress, ack: str) -> bool:
        # Only the last of a burst is worth a write; it names all who wait by now.
        self._progress[progress.session] = progress
        return False

    def _ask(self, asked: e.Verify | e.Finalize, ack: str) -> bool:
        self._verifier.ask(asked)
        return False

    def _strike(self, strike: e.Strike, ack: str) -> bool:
        log.warning("output refused", slot=strike.slot, error=str(strike.error))
        return False


_CARRIED: dict[type[e.Instruction], Callable[[Carrier, Any, str], bool]] = {
    e.Send: Carrier._send,
    e.Bind: Carrier._bind,
    e.Unbind: Carrier._unbind,
    e.Discard: Carrier._discard,
    e.Close: Carrier._close,
    e.Finish: Carrier._finish,
    e.Reattach: Carrier._reattach,
    e.Progress: Carrier._tell,
    e.Verify: Carrier._ask,
    e.Finalize: Carrier._ask,
    e.Strike: Carrier._strike,
}
