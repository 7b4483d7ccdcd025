"""Carry out what the scheduler says: each instruction is one call of the ledger or the verifier."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from celery import Celery

from farm import instructions as do
from farm.batcher import Batcher
from farm.book import Book
from farm.chunks import Fail, Resend
from farm.errors import LedgerDown
from farm.outbox import Envelope
from farm.post import Post
from farm.queue import length, queue_of
from farm.verifier import Asked, Verifier

log = structlog.get_logger()

#: Seconds between two tries to reach a broker that is away.
PAUSE = 1.0
#: Steps sent at once that have a line each in the log: a line costs as much as a step.
LINES = 4


class Carrier:
    """The scheduler's hands."""

    def __init__(self, book: Book, broker: Celery, verifier: Verifier, batcher: Batcher) -> None:
        self._book, self._broker, self._verifier = book, broker, verifier
        self._batcher = batcher
        self._post = Post(broker)
        #: Whether the outbox may hold what is not known here, and when the broker can be asked.
        self.unsent = True
        self._resume = 0.0
        #: How many messages Celery has that are still in the outbox.
        self._given = 0

    def carry(self, instructions: Sequence[do.Instruction]) -> None:
        """Do what is said, in order."""
        sent = 0
        for instruction in instructions:
            _CARRIED[type(instruction)](self, instruction)
            if isinstance(instruction, do.Send):
                sent += 1
                if sent <= LINES:
                    _log(instruction)
        if sent > LINES:
            log.info("sent", more=sent - LINES)

    def chunk(self, found: Resend | Fail) -> None:
        """Send a chunk of a trace batch again, or end the batch."""
        if isinstance(found, Fail):
            log.warning("batch failed", batch=found.batch, error=str(found.error))
            self._book.trace_fail(found.batch, found.error)
            return
        log.info("chunk sent again", batch=found.batch, step=found.step, tries=found.record.tries)
        self._book.send(found.batch, found.step, found.record, found.message)

    def settle(self) -> None:
        """Take what Celery has out of the outbox: a write that can go with the next ones.

        What is there twice because this was not written, a lease refuses.
        """
        if self._given:
            self._book.published(self._given)
            self._given = 0

    def publish(self) -> None:
        """Give Celery what is in the outbox; `settle` takes it out."""
        posted = self._book.posted()
        if not self.unsent:
            self._pass_on(posted)
        elif time.monotonic() >= self._resume:
            self.settle()
            while (messages := self._book.outbox()) and self._pass_on(messages):
                self.settle()
            self.unsent = bool(messages)

    def _pass_on(self, messages: Sequence[Envelope | None]) -> bool:
        """Return whether Celery has the messages, the oldest in the outbox."""
        if not messages:
            return True
        try:
            self._post.send([*filter(None, messages)])
        except LedgerDown as error:
            log.warning("broker away", error=str(error))
            self.unsent, self._resume = True, time.monotonic() + PAUSE
            return False
        self._given += len(messages)
        return True

    def hand(self, message: Envelope) -> None:
        """Give one message to Celery; raises LedgerDown."""
        self._post.send([message])

    def idle(self, queue: str) -> bool:
        """Return whether no message waits in a queue; raises LedgerDown."""
        return length(self._broker, queue) == 0

    def _send(self, send: do.Send) -> None:
        message = send.message
        queue = queue_of(message.kind, message.slot)
        envelope = Envelope(queue, message.kind, message.kwargs(), str(message))
        self._book.send(message.session, message.step, send.record, envelope)

    def _bind(self, bind: do.Bind) -> None:
        self._book.bind(bind.session, bind.step, bind.attempt, bind.ref)

    def _unbind(self, unbind: do.Unbind) -> None:
        log.warning("output gone", session=unbind.session, step=unbind.step)
        self._book.unbind(unbind.session, unbind.step)

    def _give_up(self, lost: do.GiveUp) -> None:
        self._book.give_up(lost.session, lost.step, lost.attempt, lost.tries)

    def _discard(self, discard: do.Discard) -> None:
        log.warning("execution discarded", session=discard.session)
        self._book.discard(discard.session)

    def _keep(self, keep: do.Keep) -> None:
        self._book.gathered(keep.session, keep.gathered)

    def _carry(self, asked: do.Carry) -> None:
        self._batcher.ask(asked)

    def _close(self, close: do.Close) -> None:
        log.info("session ended", session=close.session, state=close.state, why=str(close.error))
        self._book.close(close)

    def _finish(self, finish: do.Finish) -> None:
        log.info("job ended", job=finish.job, state=finish.state)
        self._book.finish(finish)

    def _reattach(self, reattach: do.Reattach) -> None:
        self._book.reattach(reattach.job, reattach.session)

    def _tell(self, progress: do.Progress) -> None:
        self._book.progress(progress.jobs, **progress.entry)

    def _ask(self, asked: Asked) -> None:
        self._verifier.ask(asked)

    def _strike(self, strike: do.Strike) -> None:
        log.warning("output refused", slot=strike.slot, error=str(strike.error))


_CARRIED: dict[type[do.Instruction], Callable[[Carrier, Any], None]] = {
    do.Send: Carrier._send,
    do.Bind: Carrier._bind,
    do.Unbind: Carrier._unbind,
    do.GiveUp: Carrier._give_up,
    do.Discard: Carrier._discard,
    do.Close: Carrier._close,
    do.Finish: Carrier._finish,
    do.Reattach: Carrier._reattach,
    do.Progress: Carrier._tell,
    do.Verify: Carrier._ask,
    do.Finalize: Carrier._ask,
    do.Commit: Carrier._ask,
    do.Inspect: Carrier._ask,
    do.Gather: Carrier._ask,
    do.Keep: Carrier._keep,
    do.Divide: Carrier._ask,
    do.Carry: Carrier._carry,
    do.Strike: Carrier._strike,
}


def _log(send: do.Send) -> None:
    message = send.message
    log.info("sent", step=str(message), attempt=message.attempt, slot=message.slot)
