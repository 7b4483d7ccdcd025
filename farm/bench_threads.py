"""The reference's rows on throughput: client threads that ask for one proof each, or for many."""

import threading
import time
from collections.abc import Callable
from statistics import median

from farm.bench_row import LIMIT, Curve, Found, Row, fib
from farm.policies import Policies

#: Proofs a second of the reference by threads, in thousands.
THREADS = {10: 67, 20: 74, 50: 61}
#: Its programs: fib with these rounds in turn.
ROUNDS = [20 + at % 50 for at in range(50)]
#: Proofs in each batch of a client.
TOGETHER = 4096
#: How often each number of threads has its turn.
TURNS = 5
#: Share of the peak that is left past it.
KNEE = 0.95


def throughput(seconds: float) -> Found:
    """Measure proofs a second by client threads: each proof made alone, and in batches."""
    policies = Policies(LIMIT)
    ones, batch = [fib([rounds]) for rounds in ROUNDS], fib(ROUNDS * (TOGETHER // len(ROUNDS)))

    def alone() -> int:
        for one in ones:
            policies["sequential"](one)
        return len(ones)

    def together() -> int:
        return len(policies["batch"](batch))

    slow, fast = _rates(seconds, alone), _rates(seconds, together)
    rows = [_alone(count, slow[count]) for count in THREADS]
    rows += [_together(count, fast) for count in THREADS]
    before = {count: 1e3 * rate for count, rate in THREADS.items()}
    alike = {"reference": before, "here": slow}
    all_of_them = {"reference": before, "here, one at a time": slow, "here, in batches": fast}
    shares = {name: _shares(rates) for name, rates in all_of_them.items()}
    thousands = {name: [rate / 1e3 for rate in rates.values()] for name, rates in alike.items()}
    what = "proofs of fib 20-69 by client threads"
    curves = [
        _curve(f"{what}, one at a time", "thousand proofs a second", thousands),
        _curve(f"{what}, of each one's peak", "% of the peak", shares),
    ]
    return Found(rows, curves)


def _shares(rates: dict[int, float]) -> list[float]:
    # Ours by batches are fifty times the reference's: only their shapes can stand side by side.
    peak = max(*rates.values(), 1.0)
    return [100 * rate / peak for rate in rates.values()]


def _curve(title: str, up: str, lines: dict[str, list[float]]) -> Curve:
    places = [str(count) for count in THREADS]
    return Curve(title=title, across="threads", up=up, places=places, lines=lines)


def _rates(seconds: float, work: Callable[[], int]) -> dict[int, float]:
    """Return the median rate by number of threads, taken in turn."""
    found: dict[int, list[float]] = {count: [] for count in THREADS}
    for _ in range(TURNS):
        for count, rates in found.items():
            rates.append(_rate(count, seconds / TURNS, work))
    return {count: median(rates) for count, rates in found.items()}


def _rate(count: int, seconds: float, work: Callable[[], int]) -> float:
    """Return what `work` gets done a second, altogether, by so many threads at once."""
    done, begin, over = [0] * count, threading.Barrier(count + 1), threading.Event()

    def run(number: int) -> None:
        begin.wait()
        while not over.is_set():
            done[number] += work()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    over.wait(seconds)
    over.set()
    # What each has begun is finished, and counts: with many threads that is much of it.
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - began)


def _alone(count: int, rate: float) -> Row:
    what = f"{count} threads, a proof at a time"
    return Row("throughput", what, f"{THREADS[count]}K/s", f"{rate / 1e3:,.0f}K/s")


def _together(count: int, rates: dict[int, float]) -> Row:
    rate, peak = rates[count], max(*rates.values(), 1.0)
    before, what = THREADS[count], f"{count} threads, batches of {TOGETHER}"
    ours = f"{rate / 1e3:,.0f}K/s, {rate / peak:.0%} of peak"
    met = rate >= 1e3 * max(THREADS.values()) and rate >= KNEE * peak
    return Row("throughput", what, f"{before}K/s", ours, f">= 74K/s, {KNEE:.0%}", met)
