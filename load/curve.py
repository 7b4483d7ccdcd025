"""Say what a ramp of users shows: rates, latencies, the peak, the knee, what is met. Pure."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

#: The rate counts as that of the peak from this share of it on.
FLAT = 0.95
#: Goals: proofs a second, and CPU microseconds a proof of everything but the kernel.
PEAK, OVERHEAD_US = 500_000, 0.5


class Request(NamedTuple):
    """One finished request: when it ended (unix time), how long it took, its proofs."""

    ended: float
    seconds: float
    proofs: int


class Goal(NamedTuple):
    """One figure beside what it has to be."""

    name: str
    figure: str
    goal: str
    met: bool


@dataclass(frozen=True)
class Step:
    """What so many users got in a window of some seconds; latencies are in ms."""

    users: int
    seconds: float
    proofs: int
    p50: float
    p95: float
    p99: float
    #: CPU seconds by process.
    cpu: Mapping[str, float]
    #: CPU microseconds a proof costs the kernel alone, in the same minute.
    kernel_us: float

    @property
    def rate(self) -> float:
        """Return proofs a second."""
        return self.proofs / self.seconds

    @property
    def cost_us(self) -> float:
        """Return CPU microseconds a proof, over all processes."""
        return sum(self.cpu.values()) * 1e6 / self.proofs if self.proofs else math.inf

    @property
    def overhead_us(self) -> float:
        """Return CPU microseconds a proof that are not the kernel's."""
        return self.cost_us - self.kernel_us

    def row(self, cores: int) -> dict[str, Any]:
        """Return the step as a row of the table; CPU in cores."""
        return {
            "users": self.users,
            "seconds": round(self.seconds, 2),
            "proofs_s": round(self.rate),
            "p50_ms": round(self.p50, 1),
            "p95_ms": round(self.p95, 1),
            "p99_ms": round(self.p99, 1),
            "cost_us": round(self.cost_us, 3),
            "kernel_us": round(self.kernel_us, 3),
            "overhead_us": round(self.overhead_us, 3),
            "kernel_alone_s": round(cores * 1e6 / self.kernel_us),
            **{f"cpu_{name}": round(cpu / self.seconds, 3) for name, cpu in self.cpu.items()},
        }


def step(
    users: int,
    requests: Iterable[Request],
    window: tuple[float, float],
    cpu: Mapping[str, float],
    kernel_us: float,
) -> Step:
    """Return what the requests that ended within the window come to."""
    start, stop = window
    inside = [one for one in requests if start <= one.ended < stop]
    took = sorted(one.seconds * 1000 for one in inside)
    shares = [percentile(took, share) for share in (0.50, 0.95, 0.99)]
    proofs = sum(one.proofs for one in inside)
    return Step(users, stop - start, proofs, *shares, cpu, kernel_us)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the least value that `share` of all are not above; infinity if there are none."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.inf


def merged(sweeps: Sequence[Sequence[Step]]) -> list[Step]:
    """Return one step for each number of users: medians over the sweeps."""
    return [_median(steps) for steps in zip(*sweeps, strict=True)]


def _median(steps: Sequence[Step]) -> Step:
    def of(name: str) -> float:
        return median(getattr(one, name) for one in steps)

    # By the second, so that rate and cost are medians of what each sweep showed.
    seconds, rate = of("seconds"), of("rate")
    cpu = {n: median(one.cpu[n] / one.seconds for one in steps) * seconds for n in steps[0].cpu}
    proofs = round(rate * seconds)
    return Step(
        steps[0].users, seconds, proofs, of("p50"), of("p95"), of("p99"), cpu, of("kernel_us")
    )


def peak(steps: Sequence[Step]) -> Step:
    """Return the step with the highest rate."""
    return max(steps, key=lambda one: one.rate)


def knee(steps: Sequence[Step]) -> Step:
    """Return the step with the fewest users whose rate is that of the peak but for 5 %."""
    enough = FLAT * peak(steps).rate
    return min((one for one in steps if one.rate >= enough), key=lambda one: one.users)


def plateau(steps: Sequence[Step]) -> float:
    """Return the lowest rate from the knee on, as a share of the peak; 0 without any proof."""
    if not peak(steps).proofs:
        return 0.0
    first = knee(steps).users
    return min(one.rate for one in steps if one.users >= first) / peak(steps).rate


def growth(steps: Sequence[Step]) -> float:
    """Return how many times as fast as the users the median latency grew, where it grew fastest.

    Both are counted from the fewest users.
    """
    first = min(steps, key=lambda one: one.users)
    if math.isinf(first.p50):
        return math.inf
    return max((one.p50 / first.p50) / (one.users / first.users) for one in steps)


def goals(sweeps: Sequence[Sequence[Step]]) -> list[Goal]:
    """Return what the sweeps show beside what they have to show."""
    steps = merged(sweeps)
    top, flat = peak(steps), plateau(steps)
    grew = growth(steps)
    return [
        Goal("peak", f"{top.rate:,.0f} proofs/s", f">= {PEAK:,}", top.rate >= PEAK),
        Goal("knee to last, share of the peak", f"{flat:.3f}", f">= {FLAT}", flat >= FLAT),
        Goal("median latency against users", f"{grew:.3f} x", "<= 1 x", grew <= 1),
        Goal(
            "all but the kernel, at the peak",
            f"{top.overhead_us:.3f} us CPU a proof",
            f"<= {OVERHEAD_US}",
            top.overhead_us <= OVERHEAD_US,
        ),
    ]
