"""Do the chunks that one message brings: lease them, prove them together, bind their results.

A task never raises to Celery: what came of each chunk is told to the ledger, and the scheduler
decides. A chunk that cannot be proved fails alone.
"""

import contextlib
import functools
from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import Any

import structlog

from farm.attempt import Worker, current
from farm.columns import Inputs, Outputs
from farm.errors import BlobMissing, FarmError
from farm.step import patient
from farm.steps import Attempt, Hold
from farm.watch import Dropped, Watch
from farm.wire import StepMessage, chunk_messages

log = structlog.get_logger()

#: Below so many steps a message takes less than a beat, even without the compiled kernel, and
#: its leases need not be renewed: a thread to do it would cost more than many a message.
SHORT = 10_000_000

Prove = Callable[[Inputs], Outputs]
Chunk = tuple[StepMessage, Inputs]


def chunks(prove: Prove) -> Callable[..., None]:
    """Return the task that does all chunks of a message by `prove`, those of a program at once."""

    @functools.wraps(prove)
    def run(**kwargs: Any) -> None:
        attempt(current(), kwargs, prove)

    return run


def attempt(worker: Worker, kwargs: dict[str, Any], prove: Prove) -> None:
    """Do the chunks of a message that are still to be done, and tell what came of them."""
    try:
        leased = _leased(worker, chunk_messages(kwargs))
    except FarmError as error:  # nothing is leased, so there is nothing to report
        log.warning("message dropped", error=str(error))
        return
    except Exception:
        log.exception("message dropped")
        return
    if not leased:
        return
    with contextlib.ExitStack() as stack:
        check = worker.check
        if sum(message.args.get("steps", SHORT) for message in leased) >= SHORT:
            check = stack.enter_context(_watch(worker, leased)).check
        _Group(worker, leased, check).work(prove)


def _leased(worker: Worker, messages: list[StepMessage]) -> list[StepMessage]:
    # One token however often it is asked: an answer may get lost after the steps are leased.
    attempts, token = [_attempt(message) for message in messages], token_hex(8)
    holds = patient(lambda: worker.steps.lease_all(attempts, worker.slot, token), worker.check)
    for message, hold in zip(messages, holds, strict=True):
        if hold is not Hold.LEASED:
            log.info("message dropped", step=str(message), answer=hold.value)
    return [one for one, hold in zip(messages, holds, strict=True) if hold is Hold.LEASED]


def _watch(worker: Worker, leased: list[StepMessage]) -> Watch:
    attempts = [_attempt(message) for message in leased]
    limit_s = max(message.limit_s for message in leased)

    def renew() -> bool:
        return Hold.HELD in worker.steps.renew_all(attempts)

    return Watch(renew, worker.settings, limit_s)


def _attempt(message: StepMessage) -> Attempt:
    return message.session, message.step, message.attempt


class _Group:
    """Leased chunks, until each is bound or has failed."""

    def __init__(
        self, worker: Worker, messages: list[StepMessage], check: Callable[[], None]
    ) -> None:
        self._worker, self._check = worker, check
        self._left = messages

    def work(self, prove: Prove) -> None:
        """Prove what can be proved; whatever goes wrong is told of all chunks that are left."""
        try:
            found = self._inputs()
            proofs: list[tuple[StepMessage, Outputs]] = []
            for program in dict.fromkeys(inputs.program for _, inputs in found):
                proofs += self._prove([one for one in found if one[1].program == program], prove)
            self._bind(proofs)
        except Dropped as error:
            log.info("chunks dropped", steps=list(map(str, self._left)), error=str(error))
        except Exception as error:
            for message in list(self._left):
                self._fail(message, error)

    def _inputs(self) -> list[Chunk]:
        messages = list(self._left)
        bodies = self._worker.scratch.get_all([message.inputs[0] for message in messages])
        found = []
        for message, body in zip(messages, bodies, strict=True):
            try:
                if isinstance(body, BlobMissing):
                    raise body
                found.append((message, Inputs.unpack(body)))
            except FarmError as error:
                self._fail(message, error)
        return found

    def _prove(self, chunks: list[Chunk], prove: Prove) -> list[tuple[StepMessage, Outputs]]:
        messages, inputs = [message for message, _ in chunks], [rows for _, rows in chunks]
        try:
            done = prove(Inputs.joined(inputs))
        except Exception as error:
            if len(chunks) > 1:  # one of them may be the reason
                return [proof for chunk in chunks for proof in self._prove([chunk], prove)]
            self._fail(messages[0], error)
            return []
        return list(zip(messages, done.split(map(len, inputs)), strict=True))

    def _bind(self, proofs: Sequence[tuple[StepMessage, Outputs]]) -> None:
        packed = [done.pack(f"{message.session} {message.step}") for message, done in proofs]
        refs = self._worker.scratch.put_all(packed)
        results = [(_attempt(message), ref) for (message, _), ref in zip(proofs, refs, strict=True)]
        holds = patient(lambda: self._worker.steps.trace_all_done(results), self._check)
        self._left = []
        unwanted = [ref for ref, hold in zip(refs, holds, strict=True) if hold is not Hold.HELD]
        # Whoever waited is gone, or has the results of another attempt.
        with contextlib.suppress(FarmError):
            self._worker.scratch.drop(unwanted)

    def _fail(self, message: StepMessage, error: Exception) -> None:
        self._left.remove(message)
        if not isinstance(error, FarmError):
            log.exception("step failed", step=str(message), exc_info=error)
            error = FarmError(f"worker: {type(error).__name__}: {error}")
        log.warning("step failed", step=str(message), code=error.code, error=str(error))
        named = error
        try:
            patient(lambda: self._worker.steps.failed(*_attempt(message), named), self._check)
        except Exception:  # unheard, the lease runs out and the step is sent again
            log.exception("failure not reported", step=str(message))
