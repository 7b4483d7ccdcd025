"""Stand in for a host child: answers at the pace of a timing profile, and proves nothing.

It has the interface of farm/host.py, lives in the worker's own process, and can be killed in the
middle of a step. What it makes plays a receipt, of kind "simulated", and is refused as risc0.
"""

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from farm import set_builder_program
from farm.errors import FarmError, HostDied, HostFailed, StepHung
from farm.frames import Part
from farm.host import PROTOCOL, Answer, Greeting, OnEmitted
from farm.settings import ZKVM
from farm.simulated_device import Device
from farm.simulated_execution import Emitted, execute
from farm.simulated_profile import Profile
from farm.simulated_verbs import Task, answer, image_id

MODE = "simulated"
VERSION = "0.1.0"


@cache
def _set_builder() -> str:
    return image_id(set_builder_program.read())


class SimulatedChild:
    """One stand-in; `speed` is how much faster than real its clock runs."""

    def __init__(self, profile: Profile, speed: float = 1.0, device: Device | None = None) -> None:
        self.greeting = Greeting(PROTOCOL, VERSION, f"{ZKVM}.0", [], MODE, pid=0)
        #: It has no process of its own.
        self.binary, self.pid = "the stand-in", 0
        self._profile, self._speed, self._device = profile, speed, device
        self._kept: set[str] = set()
        self._dead = threading.Event()
        self._reason: FarmError | None = None
        self._turn = threading.Lock()
        #: Seconds at work before the request in progress, and when that began.
        self._worked = 0.0
        self._since: float | None = None
        self._until: float | None = None

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._dead.is_set()

    def request(
        self,
        verb: str,
        args: dict[str, Any] | None = None,
        parts: Sequence[Part] = (),
        on_segment: OnEmitted | None = None,
        on_keccak: OnEmitted | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Return the answer once its time has passed; raises as a real host's child does."""
        with self._turn, self._working(seconds):
            self._check(verb)
            try:
                if verb == "execute":
                    return self._execute(args or {}, parts, on_segment, on_keccak)
                return self._do(verb, answer(verb, self._profile, args or {}, parts, self._kept))
            except (HostFailed, HostDied):
                self.kill()  # as a real one that has failed, it is not asked again
                raise

    def kill(self, reason: FarmError | None = None) -> None:
        """End it at once; the request in progress raises `reason`, or HostDied."""
        self._reason = self._reason or reason
        self._dead.set()

    def cpu_seconds(self) -> float | None:
        """Return the seconds for which it has been at work, None once it is gone."""
        if not self.alive:
            return None
        since = self._since
        return self._worked + (0.0 if since is None else time.monotonic() - since)

    def close(self) -> None:
        """Let it go."""
        self._dead.set()

    @contextlib.contextmanager
    def _working(self, seconds: float | None) -> Iterator[None]:
        self._since = begun = time.monotonic()
        self._until = None if seconds is None else begun + seconds
        try:
            yield
        finally:
            self._since = None
            self._worked += time.monotonic() - begun

    def _do(self, verb: str, task: Task) -> Answer:
        self._pass(verb, task.work.before)
        if task.work.device and self._device:
            with self._device.working(verb, task.work, task.of, lambda: self._check(verb)):
                self._pass(verb, task.work.device)
        return Answer(task.done, task.parts)

    def _execute(
        self,
        args: dict[str, Any],
        parts: Sequence[Part],
        on_segment: OnEmitted | None,
        on_keccak: OnEmitted | None,
    ) -> Answer:
        entropy = args.get("seed") or secrets.token_hex(8)
        for one in execute(self._profile, args, parts, entropy, _set_builder()):
            self._pass("execute", one.seconds)
            if one.what == "done":
                return Answer(one.facts, one.parts)
            if one.what:
                self._pass_on(one, on_keccak if one.what == "keccak" else on_segment)
        raise HostFailed("execute", "it came to no end")

    def _pass_on(self, one: Emitted, take: OnEmitted | None) -> None:
        if take is None:
            raise HostFailed("execute", f"nobody takes its {one.what}s")
        try:
            take(one.facts, one.parts[0])
        except BaseException:
            self.kill()  # it would go on with segments that nobody takes
            raise

    def _pass(self, verb: str, seconds: float) -> None:
        """Let time pass; raises what ends the request before its time."""
        end = time.monotonic() + seconds / self._speed
        late = self._until is not None and end > self._until
        self._dead.wait(max(0.0, (self._until if late and self._until else end) - time.monotonic()))
        self._check(verb)
        if late:
            self.kill(StepHung(verb, seconds))
            self._check(verb)

    def _check(self, verb: str) -> None:
        if self._dead.is_set():
            raise self._reason or HostDied(verb, "signal SIGKILL", "")
