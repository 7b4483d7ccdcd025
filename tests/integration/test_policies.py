"""Every policy gives the same proofs; the one that chooses takes what was cheapest."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm import adaptive, pin, trace
from farm.adaptive import Adaptive
from farm.cache import TraceCache
from farm.columns import Inputs, Outputs
from farm.policies import NAMES, Policies
from farm.reuse import Reuse
from farm.witness import read_inputs
from farm.worth import Use, Worth

LIMIT = 40

words = st.integers(0, 3) | st.integers(0, (1 << 64) - 1)
fibs = st.lists(
    st.tuples(st.integers(0, LIMIT + 1), st.lists(words, min_size=1, max_size=3)), max_size=40
).map(lambda rows: read_inputs("fib.v0", [n for n, _ in rows], [pair for _, pair in rows]))
messages = st.lists(st.lists(words, max_size=4 * LIMIT + 3), max_size=8).map(
    lambda rows: read_inputs("sha256.v0", None, rows)
)


@pytest.fixture(scope="module")
def policies():
    made = Policies(LIMIT)
    made.cores = 2  # also where there is one
    yield made
    made.close()


@settings(deadline=None)
@given(st.one_of(fibs, messages))
def test_every_policy_gives_the_same_proofs(policies, inputs):
    expected = trace.prove(inputs, LIMIT).pack("")
    assert {name: policies[name](inputs).pack("") == expected for name in NAMES} == dict.fromkeys(
        NAMES, True
    )


def test_threads_start_again_after_close(policies):
    policies.close()
    assert len(policies["parallel"](read_inputs("fib.v0", [1, 2, 3]))) == 3


def test_more_proofs_than_threads_at_once(policies):
    batch = read_inputs("fib.v0", [3] * 120)
    assert policies["thread-per-proof"](batch).pack("") == trace.prove(batch, LIMIT).pack("")


def test_threads_that_only_wait_for_each_other_are_no_choice(monkeypatch):
    monkeypatch.setattr(pin, "cores", lambda: [0, 1])
    for backend, ways in (("kernel", 3), ("numpy", 2)):
        monkeypatch.setattr(trace, "backend", lambda name=backend: name)
        assert len(Policies(LIMIT).adaptive._runs) == ways


class Clock:
    """Time that passes only where a way of proving says so."""

    def __init__(self, monkeypatch):
        self.cpu = self.wall = 0.0
        monkeypatch.setattr(adaptive.time, "thread_time", lambda: self.cpu)
        monkeypatch.setattr(adaptive.time, "perf_counter", lambda: self.wall)
        self.ran: list[str] = []
        self.rows = 0

    def way(self, name, fixed, each, cores=1):
        def run(inputs: Inputs):
            seconds = fixed + each * len(inputs)
            self.ran.append(name)
            self.rows += len(inputs)
            self.cpu, self.wall = self.cpu + seconds, self.wall + seconds / cores
            return trace.prove(inputs, LIMIT)

        return run


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def chooser(clock, parallel=None, worth=None):
    batch, sequential = clock.way("batch", 1e-4, 1e-6), clock.way("sequential", 0, 1e-5)
    made = Adaptive(batch, sequential, parallel, Reuse(TraceCache(LIMIT), worth))
    made._plain["fib.v0"] = 1e-9  # looks cheap: it is tried
    return made


def fib(count: int, first: int = 0) -> Inputs:
    return read_inputs("fib.v0", 20, [[first + row, 1] for row in range(count)])


@pytest.mark.parametrize(("count", "way"), [(1, "sequential"), (5, "sequential"), (50, "batch")])
def test_the_cheapest_way_is_found_by_measuring(clock, count, way):
    chosen = chooser(clock)
    for _ in range(300):
        chosen.prove(fib(count))
    assert clock.ran.count(way) > 280
    assert set(chosen.ways().values()) == {way}


def test_a_way_without_hope_is_not_even_tried(clock):
    chosen = chooser(clock)
    chosen._plain["fib.v0"] = 1.0
    for _ in range(100):
        chosen.prove(fib(1))
    assert set(clock.ran) == {"batch"}


def test_of_ways_that_cost_the_same_the_quicker_is_taken(clock):
    run = clock.way("parallel", 1e-4, 1e-6, cores=2)

    def parallel(inputs):
        return run(inputs), 0.0

    chosen = chooser(clock, parallel)
    chosen._handing = 0.0
    for _ in range(100):
        chosen.prove(fib(2000))
    assert clock.ran.count("parallel") > 80


def test_threads_that_cost_more_are_left_alone(clock):
    run = clock.way("parallel", 2e-4, 1.1e-6, cores=2)
    chosen = chooser(clock, lambda inputs: (run(inputs), 0.0))
    chosen._handing = 0.0
    for _ in range(300):
        chosen.prove(fib(2000))
    assert clock.ran.count("parallel") < 20


def test_a_way_that_has_become_cheaper_is_found(clock):
    chosen = chooser(clock)
    for _ in range(50):
        chosen.prove(fib(5))
    slow = clock.way("sequential", 0, 4e-4)
    chosen._runs["sequential"] = slow
    for size in chosen._sizes.values():
        size.run, size.left = slow, 0
    for _ in range(60):
        chosen.prove(fib(5))
    assert clock.ran[-30:].count("batch") > 25


def test_measuring_and_trying_costs_a_small_share(clock):
    chosen = chooser(clock)
    for _ in range(5000):
        chosen.prove(fib(1))
    best = 5000 * 1e-5
    assert clock.cpu < best * 1.03


def test_lengths_of_all_sorts_do_not_mislead(clock):
    def way(name, each):
        def run(inputs: Inputs):
            clock.ran.append(name)
            clock.cpu += each * int(inputs.rounds.sum())
            return Outputs.empty(len(inputs))

        return run

    chosen = Adaptive(way("batch", 1e-6), way("sequential", 1.2e-6), None, Reuse(TraceCache(LIMIT)))
    chosen._plain["fib.v0"] = 1e-9  # looks cheap: it is tried
    dice = random.Random(1)
    for _ in range(1000):
        chosen.prove(read_inputs("fib.v0", [round(10 * 200 ** dice.random()) for _ in range(40)]))
    assert clock.ran[-500:].count("sequential") < 25


class Always(Worth):
    def choose(self, rows, proofs_s):
        return Use.ALL


def test_what_was_proved_is_taken_from_the_cache_where_that_pays(clock):
    made = Worth.of_memory()
    chosen = chooser(clock, worth=Always(made.look, made.keep))
    batch = fib(2000)
    for _ in range(10):
        assert chosen.prove(batch).pack("") == trace.prove(batch, LIMIT).pack("")
    # Once to learn what it costs, once to be kept, and the few for which there was no place.
    assert 2 * 2000 <= clock.rows < 2 * 2000 + 200
