"""Ask the host child: bytes in, bytes out, its own words when it fails.

One HostChild is one running `farm-host serve`. It answers one request at a time; whoever
watches it may kill it from another thread, and the request in progress then raises.
"""

import contextlib
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

import msgspec

from farm import launch, vitals
from farm.errors import (
    FarmError,
    GuestFailed,
    HostDied,
    HostFailed,
    HostMismatch,
    StepHung,
)
from farm.frames import BrokenFrame, Part, read_frame, write_frame
from farm.settings import ZKVM
from farm.stderr import Stderr

#: Version of the frames and verbs this side speaks.
PROTOCOL = 1

#: Seconds a child gets to greet, and to leave once its stdin is closed.
GREETING_SECONDS = 30.0
LEAVING_SECONDS = 2.0


class Greeting(msgspec.Struct, frozen=True):
    """What a host says of itself before anything is asked."""

    protocol: int
    host: str
    zkvm: str
    features: list[str]
    mode: str
    pid: int

    def suits(self) -> bool:
        """Return whether this farm can work with it."""
        return self.protocol == PROTOCOL and self.zkvm.split(".")[:2] == ZKVM.split(".")


class _Failed(msgspec.Struct):
    kind: str
    facts: list[Any]


class _Reply(msgspec.Struct):
    id: int
    segment: dict[str, Any] | None = None
    keccak: dict[str, Any] | None = None
    done: dict[str, Any] | None = None
    failed: _Failed | None = None


@dataclass(frozen=True)
class Answer:
    """What the host gave back: facts, and bodies."""

    done: dict[str, Any]
    parts: list[bytes] = field(default_factory=list)


#: Called with the facts of a segment (or keccak request) and its bytes, while the guest runs.
OnEmitted = Callable[[dict[str, Any], bytes], None]


class HostChild:
    """One running host.

    Raises HostMissing when there is no such binary, HostMismatch when it speaks another version.
    """

    def __init__(self, binary: str, *, cpus: Sequence[int] = (), replay: str = "") -> None:
        self.binary = binary
        self._reason: FarmError | None = None
        self._killed = False
        self._turn = threading.Lock()
        self._asked = 0
        self._process = launch.start(binary, cpus, replay)
        self._stdin = cast(BinaryIO, self._process.stdin)
        self._stdout = cast(BinaryIO, self._process.stdout)
        self._stderr = Stderr(cast(BinaryIO, self._process.stderr), self.pid)
        try:
            self.greeting = self._greet()
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child can still be asked."""
        return not self._killed and self._process.poll() is None

    def request(
        self,
        verb: str,
        args: dict[str, Any] | None = None,
        parts: Sequence[Part] = (),
        on_segment: OnEmitted | None = None,
        on_keccak: OnEmitted | None = None,
        seconds: float | None = None,
    ) -> Answer:
        """Return the host's answer; what comes before it is passed on meanwhile.

        Raises the error the host names, HostDied when it ended instead of answering, StepHung
        after `seconds`, or the reason given by the one who killed it.
        """
        with self._turn, self._within(verb, seconds):
            self._asked += 1
            self._send(verb, {"id": self._asked, "verb": verb, "args": args or {}}, parts)
            while True:
                reply, bodies = self._receive(verb)
                if reply.failed is not None:
                    raise self._failure(reply.failed, bodies)
                if reply.done is not None:
                    return Answer(reply.done, bodies)
                self._pass_on(verb, reply, bodies, on_segment, on_keccak)

    def kill(self, reason: FarmError | None = None) -> None:
        """End the child at once; the request in progress raises `reason`, or HostDied."""
        self._reason, self._killed = self._reason or reason, True
        with contextlib.suppress(OSError):
            self._process.kill()

    def cpu_seconds(self) -> float | None:
        """Return the CPU time the child has used so far, None once it is gone."""
        return vitals.cpu_seconds(self.pid)

    def close(self) -> None:
        """Let the child leave by itself, then make sure; it is gone on return."""
        with contextlib.suppress(OSError, ValueError):
            self._stdin.close()
        try:
            self._process.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.join()
        self._stdout.close()

    def _greet(self) -> Greeting:
        need = f"protocol {PROTOCOL} of zkVM {ZKVM}"
        try:
            with self._within("hello", GREETING_SECONDS):
                header, _ = read_frame(self._stdout)
            greeting = msgspec.convert(header.get("hello"), Greeting)
        except (EOFError, BrokenFrame, msgspec.ValidationError) as error:
            if self._reason:
                raise self._reason from error
            how = self._ending()
            if self._process.poll() is None or self._process.returncode < 0:
                # Killed before it could speak: that says nothing of the binary.
                raise self._death("hello") from error
            said = f"no greeting ({how}: {self._stderr.tail()})"
            raise HostMismatch(self.binary, said, need) from error
        if not greeting.suits():
            said = f"protocol {greeting.protocol} of zkVM {greeting.zkvm}"
            raise HostMismatch(self.binary, said, need)
        return greeting

    def _send(self, verb: str, header: dict[str, Any], parts: Sequence[Part]) -> None:
        try:
            write_frame(self._stdin, header, parts)
        except (OSError, ValueError) as error:
            raise self._death(verb) from error

    def _receive(self, verb: str) -> tuple[_Reply, list[bytes]]:
        try:
            header, bodies = read_frame(self._stdout)
            reply = msgspec.convert(header, _Reply)
            if reply.id != self._asked:
                raise BrokenFrame(f"answer to request {reply.id}, not {self._asked}")
        except msgspec.ValidationError as error:
            raise self._death(verb, BrokenFrame(str(error))) from error
        except (OSError, ValueError, EOFError) as error:
            raise self._death(verb, error) from error
        return reply, bodies

    def _pass_on(
        self,
        verb: str,
        reply: _Reply,
        bodies: list[bytes],
        on_segment: OnEmitted | None,
        on_keccak: OnEmitted | None,
    ) -> None:
        facts, take = reply.segment, on_segment
        if facts is None:
            facts, take = reply.keccak, on_keccak
        if facts is None or take is None or len(bodies) != 1:
            raise self._death(verb, BrokenFrame("an answer that was not asked for"))
        try:
            take(facts, bodies[0])
        except BaseException:
            self.kill()  # it would go on with segments that nobody takes
            raise

    def _failure(self, failed: _Failed, bodies: list[bytes]) -> FarmError:
        error = FarmError.named(failed.kind, failed.facts)
        if isinstance(error, GuestFailed):
            error.bodies = bodies
        if isinstance(error, HostFailed):
            self.kill()  # a prover that failed or panicked is not trusted with another step
        return error

    def _death(self, verb: str, why: Exception | None = None) -> FarmError:
        how = f"a broken frame, {why}" if isinstance(why, BrokenFrame) else self._ending()
        self.kill()
        return self._reason or HostDied(verb, how, self._stderr.tail())

    def _ending(self) -> str:
        try:
            code = self._process.wait(LEAVING_SECONDS)
        except subprocess.TimeoutExpired:
            return "its pipe closed"
        return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    @contextlib.contextmanager
    def _within(self, verb: str, seconds: float | None) -> Iterator[None]:
        if seconds is None:
            yield
            return
        timer = threading.Timer(seconds, self.kill, [StepHung(verb, seconds)])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
