"""Hold single trace submits that share a batch: their columns, then their results."""

import logging
import threading
from array import array
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from farm.columns import Code, Inputs, Outputs
from farm.errors import BadTrace, FarmError, JobFailed, WaitTimeout
from farm.job import State
from farm.trace_plain import TraceProof

log = logging.getLogger(__name__)

#: Most rounds that a column can hold; what is over it is over any limit.
_MOST = 0xFFFFFFFF


class _Rows(NamedTuple):
    """Results as plain Python values: a row of them costs a third of one of numpy's."""

    outputs: list[int]
    steps: list[int]
    commitments: bytes
    codes: bytes


class Lot:
    """Rows of one program; `since` is when the first could come, by the gatherer's clock.

    One thread at a time may add; any may wait, and `awake` is called before they do.
    """

    def __init__(self, program: str, since: float, awake: Callable[[], object]) -> None:
        self.program, self.since, self._awake = program, since, awake
        #: BUFFERED, then ACCEPTED, then how it ended.
        self.state = State.BUFFERED
        #: Whether there are results, or an error.
        self.over = False
        self._rounds, self._words, self._lengths = array("I"), array("Q"), array("I")
        self._error: FarmError | None = None
        self._rows: _Rows | Outputs | None = None
        self._ended = threading.Event()
        self._told: list[Callable[[], object]] = []
        self._waiting: list[object] = []

    @property
    def waited(self) -> bool:
        """Whether somebody is to hear of the end."""
        return bool(self._waiting or self._told)

    @property
    def words(self) -> int:
        """How many witness words all rows have."""
        return len(self._words)

    def __len__(self) -> int:
        return len(self._rounds)

    def add(self, rounds: int | None, witness: Iterable[int] | None = None) -> int:
        """Return the row that has these rounds and witness words.

        Raises BadTrace, and adds nothing, for what is no row.
        """
        at, start = len(self._rounds), len(self._words)
        if rounds is None:
            if self.program == "fib.v0":
                raise BadTrace("fib.v0 needs rounds")
            rounds = 0
        try:
            if not 0 <= rounds <= _MOST:
                rounds = 0 if rounds < 0 else _MOST
            self._words.extend((0, 1) if witness is None else witness)
            self._lengths.append(len(self._words) - start)
            self._rounds.append(rounds)
        except Exception as error:
            del self._words[start:], self._lengths[at:], self._rounds[at:]
            if not isinstance(error, TypeError | OverflowError):
                raise
            raise BadTrace("a trace takes whole rounds, and u64 words as its witness") from error
        return at

    def inputs(self) -> Inputs:
        """Return the rows as columns; none can be added any more."""
        rounds, lengths = (np.array(one, "<u4") for one in (self._rounds, self._lengths))
        return Inputs(self.program, np.array(self._words, "<u8"), rounds, lengths)

    def settle(self, results: Outputs) -> None:
        """Note the results and wake who waits."""
        self._rows = results
        self._end(State.SUCCEEDED)

    def fail(self, error: FarmError) -> None:
        """Note why there will be none and wake who waits."""
        self._error = error
        self._end(State.FAILED)

    def disown(self) -> None:
        """Give the rows up, in the child of a fork: they are the parent's."""
        # Whatever lock was held at the fork stays held for ever.
        self._ended, self._told = threading.Event(), []
        self.fail(JobFailed("of another process", "it was asked for before a fork"))

    def _end(self, state: State) -> None:
        self.state, self.over = state, True
        self._ended.set()
        self._tell()

    def when_ended(self, call: Callable[[], object]) -> None:
        """Call once the lot has ended, from whatever thread ends it; or now."""
        self._told.append(call)
        self._awake()
        if self.over:
            self._tell()

    def _tell(self) -> None:
        while self._told:
            try:
                call = self._told.pop()
            except IndexError:  # another thread was faster
                return
            try:
                call()
            except Exception:  # it is the caller's, and others wait for this thread
                log.exception("a call at the end of a trace failed")

    def wait(self, timeout: float | None) -> None:
        """Return once the lot has ended; raises WaitTimeout."""
        me = object()
        self._waiting.append(me)
        try:
            self._awake()
            if not self._ended.wait(timeout):
                raise WaitTimeout("of a single trace", self.state, timeout)
        finally:
            self._waiting.remove(me)

    def error(self) -> FarmError | None:
        """Return why the lot has no results, made anew: each raising adds to an error."""
        return type(self._error)(*self._error.facts) if self._error else None

    def code(self, at: int) -> int:
        """Return the code of a row that has a result."""
        return self._plain().codes[at]

    def proof(self, at: int) -> TraceProof:
        """Return the proof in a row; raises BadTrace, or why the lot has none."""
        if error := self.error():
            raise error
        rows = self._plain()
        if rows.codes[at]:
            raise Code(rows.codes[at]).error()
        commitment = rows.commitments[32 * at : 32 * at + 32]
        return TraceProof(self.program, rows.outputs[at], rows.steps[at], commitment)

    def _plain(self) -> _Rows:
        rows = self._rows
        assert rows is not None, "who asks has waited"
        if isinstance(rows, Outputs):
            # Two threads may both do it: it is the same.
            commitments = rows.commitments.tobytes()
            rows = _Rows(
                rows.outputs.tolist(), rows.steps.tolist(), commitments, rows.codes.tobytes()
            )
            self._rows = rows
        return rows


class TraceJob:
    """One trace proof that was asked for alone; it is made in a batch with others.

    It is BUFFERED in this process until its batch is accepted; `Farm.flush` waits for that.
    """

    __slots__ = ("_at", "_lot")

    def __init__(self, lot: Lot, at: int) -> None:
        self._lot, self._at = lot, at

    def __repr__(self) -> str:
        return f"<TraceJob {self._lot.program} {self.state.lower()}>"

    @property
    def state(self) -> State:
        """Where the proof is; SUCCEEDED once there is one."""
        lot = self._lot
        if lot.state is State.SUCCEEDED and lot.code(self._at):
            return State.FAILED
        return lot.state

    def done(self) -> bool:
        """Return whether `wait` has an answer at once."""
        return self._lot.over

    def wait(self, timeout: float | None = None) -> TraceProof:
        """Return the proof once it is there.

        Raises BadTrace for one that cannot be, why its batch has failed, or WaitTimeout after
        `timeout` seconds; it goes on then.
        """
        lot = self._lot
        if not lot.over:
            lot.wait(timeout)
        return lot.proof(self._at)

    def when_done(self, call: Callable[[], object]) -> None:
        """Call once `done`, from a thread of the farm's; or now."""
        self._lot.when_ended(call)
