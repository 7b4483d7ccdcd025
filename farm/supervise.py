"""Run the farm's processes: start in stages, restart what dies, stop in the reverse order."""

import signal
import time
from collections.abc import Callable, Sequence

from farm import logs
from farm.child import Child, State
from farm.errors import StartFailed
from farm.processes import Stage
from farm.signals import Signals

#: Seconds between two looks: while starting or stopping, and later (a child's end wakes us).
EAGER, CALM = 0.05, 1.0
#: Seconds the servers get to read what they kept, and then all others to answer.
LOAD_SECONDS, START_SECONDS = 600.0, 60.0
#: Early deaths of one process after which the farm gives up starting.
EARLY_DEATHS = 4
#: Seconds all but the workers get to leave.
LEAVE_SECONDS = 10.0
#: Seconds after which the operator is told what is waited for.
TELL_SECONDS = 3.0
WAITING = "stopping: steps in progress get {0:g} s to finish; Ctrl-C again ends them now"

#: Tells which of these children have answered.
Answered = Callable[[Sequence[Child]], set[str]]


class Supervisor:
    """Keeps children running until a signal asks for the end.

    `changed` is called with whether all have answered and a line of news, if any.
    """

    def __init__(
        self,
        children: Sequence[Child],
        answered: Answered,
        changed: Callable[[bool, str], None],
        *,
        worker_seconds: float,
    ) -> None:
        self.children = children
        self._answered, self._changed = answered, changed
        self._worker_seconds = worker_seconds
        self._ready = False

    def run(self) -> None:
        """Return once everything has stopped.

        Raises StartFailed when the farm cannot be brought up; everything is stopped then too.
        """
        with Signals() as signals:
            at_once = True
            try:
                asked = self._start(signals) or self._watch(signals)
                at_once = _is_urgent(asked)
            finally:
                self._stop(signals, at_once=at_once)

    def _start(self, signals: Signals) -> list[int]:
        """Bring the servers up, then all the rest together; return what interrupted it."""
        servers = [c for c in self.children if c.process.stage is Stage.SERVER]
        others = [c for c in self.children if c.process.stage is not Stage.SERVER]
        for group, seconds in ((servers, LOAD_SECONDS), (others, START_SECONDS)):
            for child in group:
                child.start()
            if asked := self._await(group, seconds, signals):
                return asked
        self._ready = True
        self._changed(True, "")
        return []

    def _await(self, group: Sequence[Child], seconds: float, signals: Signals) -> list[int]:
        deadline = time.monotonic() + seconds
        while missing := self._missing(group):
            if asked := signals.wait(EAGER):
                return asked
            self._look()
            for child in missing:
                if child.early >= EARLY_DEATHS:
                    raise StartFailed(child.process.name, logs.last_line(child.log), child.log)
            if time.monotonic() > deadline:
                late = missing[0]
                reason = logs.last_line(late.log) or f"no answer in {seconds:g} s"
                raise StartFailed(late.process.name, reason, late.log)
        return []

    def _missing(self, group: Sequence[Child]) -> list[Child]:
        there = self._answered(group)
        return [c for c in group if c.process.name not in there and c.state is not State.REFUSED]

    def _watch(self, signals: Signals) -> list[int]:
        while True:
            waiting = any(child.state is State.WAITING for child in self.children)
            if asked := signals.wait(EAGER if waiting else CALM):
                return asked
            self._look()
            for child in self.children:
                logs.rotate(child.log)

    def _look(self) -> None:
        for child in self.children:
            before = child.pid
            news = child.watch()
            if news or child.pid != before:
                self._changed(self._ready, news)

    def _stop(self, signals: Signals, *, at_once: bool) -> None:
        self._ready = False
        for stage in sorted(Stage, reverse=True):
            group = [child for child in self.children if child.process.stage is stage]
            at_once = self._stop_group(group, stage, signals, at_once=at_once)

    def _stop_group(
        self, group: Sequence[Child], stage: Stage, signals: Signals, *, at_once: bool
    ) -> bool:
        """Stop a stage; return whether the rest is to be stopped at once."""
        # Servers end in milliseconds by themselves, and leave their files whole.
        spared = stage is Stage.SERVER
        for child in group:
            child.kill() if at_once and not spared else child.terminate()
        begun = time.monotonic()
        grace = self._worker_seconds if stage is Stage.WORKER else LEAVE_SECONDS
        told = False
        while any(child.reap() is None for child in group):
            at_once = bool(signals.wait(EAGER)) or at_once
            taken = time.monotonic() - begun
            if (at_once and not spared) or taken > grace:
                for child in group:
                    child.kill()
            elif taken > TELL_SECONDS and not told:
                told = True
                self._changed(False, WAITING.format(grace))
        return at_once


def _is_urgent(asked: Sequence[int]) -> bool:
    return len(asked) > 1 or signal.SIGQUIT in asked
