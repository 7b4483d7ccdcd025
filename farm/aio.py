"""The same client for asyncio: every call runs in a thread, none blocks the loop."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar

from farm.batch import Batch
from farm.client import Farm
from farm.columns import Outputs
from farm.errors import BadTrace, LedgerDown, WaitTimeout
from farm.execution import Execution, Logs
from farm.follow import LOOK, Clock, Patience, Progress
from farm.guests import Registered
from farm.handle import Job
from farm.inclusion import Inclusion
from farm.job import BatchView, Change, JobView, State
from farm.lot import TraceJob
from farm.membership import Membership
from farm.receipt import Receipt
from farm.request import Program
from farm.settings import Settings
from farm.trace_plain import TraceProof
from farm.trace_set import TraceSet

P = ParamSpec("P")
T = TypeVar("T")

# A wait holds a thread most of the time, and asyncio's own pool has only a few.
_POOL = ThreadPoolExecutor(128, thread_name_prefix="farm-client")


async def _thread(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(_POOL, lambda: call(*args, **kwargs))


class AsyncFarm:
    """A farm to submit to; see `farm.Farm`."""

    def __init__(self, url: str = "", *, settings: Settings | None = None) -> None:
        self.farm = Farm(url, settings=settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections; the next call opens them again."""
        await _thread(self.farm.close)

    async def submit(self, program: Program, input: bytes = b"", **options: Any) -> "AsyncJob":
        """Return the job; takes what `Farm.submit` takes."""
        if relied := options.get("assumptions"):
            options["assumptions"] = [getattr(one, "job", one) for one in relied]
        return AsyncJob(await _thread(self.farm.submit, program, input, **options))

    async def aggregate(self, members: Iterable[Any], **options: Any) -> "AsyncJob":
        """Return the job that makes one receipt of many; takes what `Farm.aggregate` takes."""
        given = [getattr(one, "job", one) for one in members]
        return AsyncJob(await _thread(lambda: self.farm.aggregate(given, **options)))

    async def trace_set(self, batch: "AsyncBatch") -> TraceSet:
        """Return the proofs of a trace batch under one root; see `Farm.aggregate`."""
        return await _thread(lambda: self.farm.aggregate(batch.batch))

    async def submit_many(
        self, program: str, rounds: Any = None, witness: Any = None
    ) -> "AsyncBatch":
        """Return a batch of trace proofs; takes what `Farm.submit_many` takes."""
        return AsyncBatch(await _thread(self.farm.submit_many, program, rounds, witness))

    async def submit_trace(
        self, program: str, rounds: int | None = None, witness: Iterable[int] | None = None
    ) -> "AsyncTraceJob":
        """Return one trace proof to be made; takes what `Farm.submit_trace` takes."""
        # In no thread: it waits for nobody.
        return AsyncTraceJob(self.farm.submit_trace(program, rounds, witness))

    async def flush(self, timeout: float | None = None) -> None:
        """Return once every trace submitted so far is accepted."""
        await _thread(self.farm.flush, timeout)

    async def register(
        self, program: Program, name: str = "", *, batch: bool = False
    ) -> Registered:
        """Return the guest, which the farm knows from now on."""
        return await _thread(self.farm.register, program, name, batch=batch)

    async def guests(self) -> list[Registered]:
        """Return the guests that the farm knows, by name."""
        return await _thread(self.farm.guests)

    def job(self, id: str) -> "AsyncJob":
        """Return the handle of a job submitted before."""
        return AsyncJob(self.farm.job(id))

    async def jobs(self, limit: int = 100) -> list[JobView]:
        """Return the newest jobs, newest first."""
        return await _thread(self.farm.jobs, limit)


class AsyncJob:
    """One job; see `farm.Job`."""

    def __init__(self, job: Job) -> None:
        self.job, self.id = job, job.id

    async def status(self) -> JobView:
        """Return the job as it is now."""
        return await _thread(self.job.status)

    async def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Receipt:
        """Return the receipt, verified; cancelling the wait leaves the job alone."""
        await self._ended(timeout, progress)
        return await self.receipt()

    async def receipt(self) -> Receipt:
        """Return the receipt of a job that has SUCCEEDED, verified."""
        return await _thread(self.job.receipt)

    async def output(self) -> bytes:
        """Return what the guest put out, shown by the job's receipt."""
        return await _thread(self.job.output)

    async def result(
        self, timeout: float | None = None, progress: Progress | None = None
    ) -> Execution:
        """Return journal, cycles and segments once the job has ended well."""
        await self._ended(timeout, progress)
        return await _thread(self.job.execution)

    async def inclusion(self, timeout: float | None = None) -> tuple[Inclusion, Receipt]:
        """Return the proof that the job is in its set and the set's receipt."""
        return await _thread(self.job.inclusion, timeout)

    async def members(self) -> list[Membership]:
        """Return all who were asked to be in the set of a job that has SUCCEEDED."""
        return await _thread(self.job.members)

    async def logs(self) -> Logs:
        """Return what the guest wrote to its stdout and stderr."""
        return await _thread(self.job.logs)

    async def cancel(self) -> bool:
        """Return whether the job was open, and is ABORTED now."""
        return await _thread(self.job.cancel)

    async def _ended(self, timeout: float | None, progress: Progress | None) -> None:
        news = self.job.changes(timeout)
        # One look at a time, so that a wait that is cancelled lets its thread go.
        while (changes := await _thread(next, news, None)) is not None:
            for change in changes:
                if progress:
                    progress(change)


class AsyncTraceJob:
    """One trace proof that was asked for alone; see `farm.TraceJob`."""

    def __init__(self, job: TraceJob) -> None:
        self.job = job

    @property
    def state(self) -> State:
        """Where the proof is; SUCCEEDED once there is one."""
        return self.job.state

    def done(self) -> bool:
        """Return whether `wait` has an answer at once."""
        return self.job.done()

    async def wait(self, timeout: float | None = None) -> TraceProof:
        """Return the proof once it is there; takes no thread meanwhile."""
        if not self.job.done():
            loop, ended = asyncio.get_running_loop(), asyncio.Event()
            self.job.when_done(lambda: _soon(loop, ended.set))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), timeout)
            if not self.job.done():
                raise WaitTimeout("of a single trace", self.state, timeout)
        return self.job.wait(0)


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    # A loop that is closed has nobody left who waits.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call)


class AsyncBatch:
    """Trace proofs that are being made; see `farm.Batch`."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    @property
    def id(self) -> str:
        """The batch's name in the ledger, another one once it had to be handed in again."""
        return self.batch.id

    def __len__(self) -> int:
        return len(self.batch)

    async def __aiter__(self) -> AsyncIterator[TraceProof | BadTrace]:
        """Yield each proof in order as it comes; a row that has none yields why."""
        first = 0
        for number in itertools.count():
            chunk = partial(_chunk, self.batch, number)
            if (done := await _looking(chunk, None, None)) is None:
                return
            for at in range(len(done)):
                yield done.row(self.batch.inputs.program, at, first)
            first += len(done)

    async def status(self) -> BatchView:
        """Return the batch as the ledger has it."""
        return await _thread(self.batch.status)

    async def wait(self, timeout: float | None = None, progress: Progress | None = None) -> Outputs:
        """Return all results as columns; cancelling the wait leaves the batch alone."""
        return await _looking(self.batch.wait, timeout, progress)

    async def verify(self, sample: float = 1.0) -> int:
        """Compute a random share of the proofs again; return how many were right."""
        await self.wait()
        return await _thread(self.batch.verify, sample)

    async def cancel(self) -> bool:
        """Return whether the batch was still running; it is ABORTED then."""
        return await _thread(self.batch.cancel)


def _chunk(batch: Batch, number: int, timeout: float | None, progress: Progress) -> Outputs | None:
    # Those before it are there already: they cost nothing.
    return next(itertools.islice(batch.chunks(timeout, progress), number, None), None)


async def _looking(
    call: Callable[[float | None, Progress], T], timeout: float | None, progress: Progress | None
) -> T:
    """Return what `call` does, which waits for a batch; each time for one look in a thread.

    So a wait that is cancelled lets its thread go. Raises what `call` does.
    """
    clock, patience, tell = Clock(timeout), Patience(answered=True), _once(progress)
    while True:
        try:
            return await _thread(call, min(LOOK, clock.left()), tell)
        except WaitTimeout as error:
            if not clock.left():
                raise WaitTimeout(*error.facts[:2], timeout) from None
            patience.back()
        except LedgerDown as error:
            await _thread(patience.away, error, clock)


def _once(progress: Progress | None) -> Progress:
    """Return what tells `progress` of each change once: every look hears of all there were."""
    told: set[tuple[str, str]] = set()

    def tell(change: Change) -> None:
        if progress and (change.batch, change.id) not in told:
            told.add((change.batch, change.id))
            progress(change)

    return tell
