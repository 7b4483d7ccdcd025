"""One leased attempt at one step, as a task sees it: its inputs, the host, the way to report."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import structlog

from farm import vitals
from farm.blobs import BlobStore
from farm.children import Children
from farm.errors import Busy, FarmError, LedgerDown, UnsafeLedger
from farm.frames import Part
from farm.host import Answer, Greeting, OnEmitted
from farm.hosts import Host
from farm.observe import of_answer
from farm.steps import Hold, Steps
from farm.terms import DEVICES, Features
from farm.watch import Dropped, Watch
from farm.wire import ExecutedRecord, KeccakRecord, SegmentRecord, StepMessage

log = structlog.get_logger()
T = TypeVar("T")

#: Arguments of a message that are the host's, whatever it is asked.
TOLD = ("cores", "claim")
#: Seconds between two tries to tell something to a ledger that is away.
AGAIN = 1.0


def patient(say: Callable[[], T], check: Callable[[], None]) -> T:
    """Return what the ledger answers, however long it is away; leaves with what `check` raises."""
    while True:
        try:
            return say()
        except (LedgerDown, Busy, UnsafeLedger) as error:
            log.warning("waiting for the ledger", error=str(error))
        check()
        time.sleep(AGAIN)


class Asked:
    """The host child, for as long as the step has it."""

    def __init__(self, step: "Step", child: Host) -> None:
        self._step, self._child = step, child

    def __call__(
        self,
        verb: str,
        parts: list[Part],
        args: dict[str, Any] | None = None,
        on_segment: OnEmitted | None = None,
        on_keccak: OnEmitted | None = None,
    ) -> Answer:
        """Return the host's answer, at the step's width; the child is watched meanwhile."""
        pid, before = self._child.pid, self._child.cpu_seconds() or 0.0
        vitals.forget_peak(pid)
        start = time.monotonic()
        with self._step.watch.over(self._child, verb):
            known = self._step.how | (args or {})
            answer = self._child.request(verb, known, parts, on_segment, on_keccak)
        cpu, wall = (self._child.cpu_seconds() or before) - before, time.monotonic() - start
        log.info(
            "host answered",
            step=str(self._step.message),
            verb=verb,
            seconds=round(wall, 3),
            cpu_seconds=round(cpu, 3),
            peak_bytes=vitals.peak_bytes(pid),
        )
        self._step.observe(verb, _device(self._child.greeting), answer, cpu, wall)
        return answer


class Step:
    """What a task is given. Whatever it raises is reported for it; it reports only success."""

    def __init__(
        self,
        message: StepMessage,
        steps: Steps,
        blobs: BlobStore,
        children: Children,
        watch: Watch,
        stopping: threading.Event,
    ) -> None:
        self.message, self.watch, self._stopping = message, watch, stopping
        self._steps, self._blobs, self._children = steps, blobs, children
        #: What each verb of the step is told: how wide it is, and what its output has to prove.
        self.how: dict[str, Any] = {"width": message.width}
        self.how |= {name: found for name in TOLD if (found := message.args.get(name))}

    def inputs(self) -> list[Part]:
        """Return the step's inputs; raises BlobMissing for one that is gone or changed."""
        return [self._blobs.get(ref) for ref in self.message.inputs]

    @contextlib.contextmanager
    def host(
        self, *, prepare: Callable[[Asked], object] | None = None, light: bool = False
    ) -> Iterator[Asked]:
        """Have a host child for the block; waits until the step before has done with it.

        Where the slot has a child to spare, `prepare` is done before the slot's turn has come;
        a `light` step takes so little of the device that it needs no turn there.
        """
        with self._children.take(self._wait) as child:
            asked = Asked(self, child)
            if prepare and self._children.spare:
                prepare(asked)
            with contextlib.ExitStack() as stack:
                if not (light and self._children.spare):
                    stack.enter_context(self._children.turn(self._wait))
                yield asked

    def _wait(self) -> None:
        self.watch.check()
        if self._stopping.is_set():
            raise Dropped("the worker is leaving, and had not begun")

    def put(self, body: bytes) -> str:
        """Return the reference of a body, kept by then."""
        return self._blobs.put(body)

    def segment(self, index: int, record: SegmentRecord) -> None:
        """Record a segment of the execution in progress."""
        at = (self.message.session, self.message.attempt, index)
        self._tell(lambda: self._steps.segment(*at, record))

    def keccak(self, index: int, record: KeccakRecord) -> None:
        """Record what the guest of the execution in progress wants hashed."""
        at = (self.message.session, self.message.attempt, index)
        self._tell(lambda: self._steps.keccak(*at, record))

    def executed(self, record: ExecutedRecord) -> None:
        """Report that the guest has ended well."""
        at = (self.message.session, self.message.attempt)
        self._tell(lambda: self._steps.executed(*at, record))

    def done(self, output: bytes) -> None:
        """Keep the output and report it."""
        ref = self.put(output)
        self._tell(lambda: self._steps.done(*self._name(), ref))

    def failed(self, error: FarmError) -> None:
        """Report why there is no output; the scheduler decides what follows."""
        log.warning("step failed", step=str(self.message), code=error.code, error=str(error))
        try:
            self._tell(lambda: self._steps.failed(*self._name(), error))
        except Dropped:
            log.info("failure not reported: the step is another's", step=str(self.message))
        except Exception:  # unheard, the lease runs out and the step is sent again
            log.exception("failure not reported", step=str(self.message))

    def observe(self, verb: str, device: str, answer: Answer, cpu: float, wall: float) -> None:
        """Tell what an answer of the host has cost: CPU seconds, and those of the clock."""
        if device not in DEVICES:  # a simulated one costs what its profile says
            return
        self._steps.observe(
            lambda: of_answer(verb, device, self._features(verb, answer), cpu, wall)
        )

    def _features(self, verb: str, answer: Answer) -> Features:
        if verb == "execute":
            cycles = answer.done["cycles"]
            return Features(cycles=cycles.get("user", 0) + cycles.get("paging", 0))
        sized = verb in ("prove", "prove-keccak")
        po2 = self._steps.proof_po2(*self._name()[:2]) if sized else 0
        return Features(po2=po2, width=self.message.width)

    def _name(self) -> tuple[str, str, int]:
        return self.message.session, self.message.step, self.message.attempt

    def _tell(self, say: Callable[[], Hold]) -> None:
        if patient(say, self.watch.check) is not Hold.HELD:
            raise Dropped("the step is not this worker's any more")


def _device(greeting: Greeting) -> str:
    if greeting.mode != "real":
        return greeting.mode
    return "cuda" if "cuda" in greeting.features else "cpu"
