"""Measure the scheduler at scale: simulated GPUs, and all the rest of a farm for real.

    python load/simulated.py [full | mix | kills].. [--short] [--speed S] [--cards N]

`full`: 20 jobs of 1,000 segments at once on 100 x RTX 5090. `mix`: one huge job, 50 medium and 500
of one segment, a tenant each, on 50 cards (on 100, the one execution of the huge job could not
feed its fair share, and nothing would be contended), beside a model of a peer's farm. `kills`: 500
segments on five L40S, with a kill -9 every five seconds. Prints goal and figure of each; the exit
status is 1 when one falls short. --short is for a look at whether it works: small, and not a
measurement.
"""

import argparse
import json
import sys
from math import ceil, log2
from statistics import median

import simulated_farm as farms
import simulated_kills
from curve import percentile
from peer import Ideas, Model, Outcome
from simulated_farm import Done, Shape, took
from simulated_jobs import Work, equal, mix
from simulated_record import busy, last_lifts, runs_out, seconds_of

from farm import simulated_profile

#: What each row of the comparison adds to the one above it.
IDEAS = {
    "the peer, as modelled": Ideas(),
    "+ steps fetched and put beside the card's work": Ideas(held=3),
    "+ preflight and checks beside it": Ideas(held=3, beside=True),
    "+ joins first, and any two neighbours": Ideas(held=3, beside=True, neighbours=True),
    "+ fair shares of tenants": Ideas(held=3, beside=True, neighbours=True, fair=True),
}
#: One-segment jobs that are timed on the idle farm.
ALONE = 5


def main() -> int:
    """Measure, print, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("which", nargs="*", default=[*PARTS], metavar="full | mix | kills")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--speed", type=float, default=1.0, help="of the cards' clock")
    parser.add_argument("--cards", type=int, default=0)
    asked = parser.parse_args()
    if asked.speed != 1:
        print(f"the cards' clock runs at {asked.speed:g} of real: not a measurement of the bar")
    rows = [row for name in asked.which for row in PARTS[name](asked)]
    return 0 if all(row["met"] for row in rows) else 1


def show(goal: str, figure: float, bound: float, *, least: bool = False, **more: object) -> dict:
    """Print and return one row: a goal, the figure, whether it is met."""
    met = figure >= bound if least else figure <= bound
    side = "at_least" if least else "at_most"
    row = {"goal": goal, "figure": round(figure, 4), side: bound, **more, "met": met}
    print(json.dumps(row), flush=True)
    return row


def full(asked: argparse.Namespace) -> list[dict]:
    """Bar: the cards are busy while there is work, and the last segment's receipt comes soon."""
    shape = Shape(cards=asked.cards or (4 if asked.short else 100), speed=asked.speed)
    works = equal(2, 24) if asked.short else equal(20, 1000)
    with farms.farm(shape) as settings:
        done = farms.run(settings, works, asked.speed)
    share = busy(done.spells, shape.cards, done.spells[0].start, runs_out(done.spells))
    fold = simulated_profile.load(shape.profile).folding() / asked.speed
    tails = [tail / (ceil(log2(n)) * fold) for n, tail in _tails(done, works)]
    makespan = max(view.finished for view in done.jobs.values()) - done.spells[0].start
    about = {"cards": shape.cards, "seconds": round(makespan, 1), "steps": len(done.spells)}
    depths = {"median": round(median(tails), 2), "fold_s": round(fold, 3)}
    goal = "last segment to receipt, in depths of the tree, worst job"
    return [
        show("cards busy until work runs out", share, 0.95, least=True, **about),
        show(goal, max(tails), 2, **depths),
    ]


def _tails(done: Done, works: list[Work]) -> list[tuple[int, float]]:
    lifted = last_lifts(done.spells)
    return [(work.segments, done.jobs[work.label].finished - lifted[work.label]) for work in works]


def mixed(asked: argparse.Namespace) -> list[dict]:
    """Bars: no tenant is short of its share, small jobs are quick; and the peer beside it."""
    shape = Shape(cards=asked.cards or (4 if asked.short else 50), speed=asked.speed)
    works = mix(40, 4, 8, 10, 5) if asked.short else mix(1500, 50, 60, 500, 60)
    with farms.farm(shape) as settings:
        alone = [Work(0, "alone", f"alone-{number}", 1) for number in range(ALONE)]
        idle = [took(farms.run(settings, [one], asked.speed).jobs[one.label]) for one in alone]
        done = farms.run(settings, works, asked.speed)
    ours = {label: took(view) * asked.speed for label, view in done.jobs.items()}
    p95 = _p95(ours)
    about = {"p95_s": round(p95, 2), "idle_s": round(median(idle) * asked.speed, 2)}
    shares = _shares(done, works, shape)
    begun = min(view.created for view in done.jobs.values())
    makespan = max(view.finished for view in done.jobs.values()) - begun
    return [
        show(
            "least share of a tenant, of what is fair",
            min(shares.values()),
            0.9,
            least=True,
            **shares,
        ),
        show("small jobs' p95, of their time on the idle farm", p95 / about["idle_s"], 3, **about),
        compare(works, shape, Outcome(ours, makespan * asked.speed, 0.0)),
    ]


def _p95(times: dict[str, float]) -> float:
    return percentile(sorted(t for label, t in times.items() if label.startswith("small")), 0.95)


def _shares(done: Done, works: list[Work], shape: Shape) -> dict[str, float]:
    """Return what each tenant had of the cards, of its fair share, while all wanted some.

    Fair: as much as each of the others, but no more than it wants.
    """
    tenants = {work.label: work.tenant for work in works}
    own = {
        tenant: [one for one in done.spells if tenants[one.label] == tenant]
        for tenant in set(tenants.values())
    }
    start = max(spells[0].start for spells in own.values()) + 2 / shape.speed
    stop = min(runs_out(spells) for spells in own.values())
    had = seconds_of(done.spells, lambda label: tenants[label], start, stop)
    # Small jobs ask for less than a third; what they leave is the other two's.
    wanted = seconds_of(own["small"], lambda _: "small", start, stop)["small"]
    each = (shape.cards * (stop - start) - wanted) / 2
    return {tenant: round(had[tenant] / each, 3) for tenant in ("huge", "medium")}


def compare(works: list[Work], shape: Shape, ours: Outcome) -> dict:
    """Print what each idea gains on the peer, by the model, and what the farm has measured."""
    profile = simulated_profile.load(shape.profile)
    lanes = 2 * shape.executors
    rows = {
        name: Model(profile, shape.cards, lanes, ideas).run(works) for name, ideas in IDEAS.items()
    }
    peer = rows["the peer, as modelled"]
    print(f"{'':50} {'makespan':>9} {'small p95':>10}   of the peer's makespan")
    for name, row in [*rows.items(), ("this farm, measured", ours)]:
        ratio = row.makespan / peer.makespan
        print(f"{name:50} {row.makespan:7.1f} s {_p95(row.took):8.2f} s   {ratio:.3f}")
    return show("makespan of the mix, of the peer's", ours.makespan / peer.makespan, 0.8)


def kills(asked: argparse.Namespace) -> list[dict]:
    """Bar: under kills the end is verified, and little is done twice."""
    shape = Shape("l40s", asked.cards or 5, 1, 1, asked.speed)
    segments, seconds = (60, 2.0) if asked.short else (500, 5.0)
    found = simulated_kills.measure(shape, segments, seconds)
    goal = "device seconds repeated or lost under kills"
    return [show(goal, found.repeated, 0.05, killed=found.killed)]


PARTS = {"full": full, "mix": mixed, "kills": kills}

if __name__ == "__main__":
    sys.exit(main())
