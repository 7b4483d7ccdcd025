"""Do one step of one message: lease it, work, report what came of it.

A task never raises to Celery, never retries and never sends another task: it reports, and the
scheduler decides.
"""

import functools
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

import structlog

from farm.blobs import BlobStore, ScratchStore
from farm.children import Children
from farm.errors import FarmError
from farm.session import Slot
from farm.settings import Settings
from farm.step import Step, patient
from farm.steps import Hold, Steps
from farm.watch import Dropped, Watch
from farm.wire import StepMessage, step_message

log = structlog.get_logger()

Work = Callable[[Step], None]


@dataclass(frozen=True)
class Worker:
    """One slot at work."""

    slot: Slot
    settings: Settings
    steps: Steps
    blobs: BlobStore
    #: Where results of trace go: kept for a while only.
    scratch: ScratchStore
    children: Children
    #: Set once the worker has been told to finish what it is doing and leave.
    stopping: threading.Event = field(default_factory=threading.Event)

    def attempt(self, kwargs: dict[str, Any], work: Work) -> None:
        """Do the step of a message, if it is still to be done here, and report what came of it."""
        try:
            message = step_message(kwargs)
            if not self._lease(message):
                return
        except FarmError as error:  # nothing is leased, so there is nothing to report
            log.warning("message dropped", error=str(error))
            return
        except Exception:
            log.exception("message dropped")
            return
        at = (message.session, message.step, message.attempt)
        with Watch(lambda: self.steps.renew(*at) is Hold.HELD, self.settings, message.limit_s) as w:
            step = Step(message, self.steps, self.blobs, self.children, w, self.stopping)
            self._work(step, work)

    def _lease(self, message: StepMessage) -> bool:
        # One token however often it is asked: an answer may get lost after the step is leased.
        token = token_hex(8)

        def lease() -> Hold:
            at = (message.session, message.step, message.attempt)
            return self.steps.lease(*at, self.slot.name, self.slot.incarnation, token)

        held = patient(lease, self.check)
        if held is not Hold.LEASED:
            log.info("message dropped", step=str(message), answer=held.value)
        return held is Hold.LEASED

    def check(self) -> None:
        """Raise Dropped once the worker has been told to leave."""
        if self.stopping.is_set():
            raise Dropped("the worker is leaving")

    def _work(self, step: Step, work: Work) -> None:
        try:
            work(step)
        except Dropped as error:
            log.info("step dropped", step=str(step.message), error=str(error))
        except FarmError as error:
            step.failed(error)
        except Exception as error:
            log.exception("step failed", step=str(step.message))
            step.failed(FarmError(f"worker: {type(error).__name__}: {error}"))


_current: dict[str, Worker] = {}


def install(*workers: Worker) -> None:
    """Make these the ones that this process's tasks use."""
    _current.clear()
    _current.update({worker.slot.name: worker for worker in workers})


def current(slot: object = "") -> Worker:
    """Return the worker of a slot; of any other, the first of this process, who will refuse."""
    first = next(iter(_current.values()))
    return _current.get(slot, first) if isinstance(slot, str) else first


def step(work: Work) -> Callable[..., None]:
    """Return the task that does `work` as a leased step; it never raises to Celery."""

    @functools.wraps(work)
    def run(**kwargs: Any) -> None:
        current(kwargs.get("slot")).attempt(kwargs, work)

    return run
