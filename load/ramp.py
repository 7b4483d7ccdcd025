"""Measure trace proofs/s, latency and CPU at 1 to 200 users of a farm of one's own.

    python load/ramp.py [--users 1,10,20,50,100,200] [--seconds 20] [--sweeps 3] [--quick]

Every proof is a distinct one, submitted by Locust through the public API and taken, checked and
sampled there. Beside each step stands the kernel alone, measured in the same minute. Writes
ramp.csv, ramp.png and Locust's own tables; the exit status is 1 when a goal is missed.
"""

import argparse
import csv
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import alone
import curve
import meter
import own
import plot
import tally
from curve import Step

from farm import pin, up
from farm.settings import Settings

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
#: Seconds that users get to finish what they have asked for.
DRAIN = 120
#: Seconds of the kernel alone before each step.
CALIBRATION = 1.5
QUICK = {"users": [1, 4], "seconds": 3.0, "warm": 1.0, "sweeps": 1}


def main() -> int:
    """Measure, print, write; return the exit status."""
    asked = _asked()
    asked.out.mkdir(parents=True, exist_ok=True)
    cores, sweeps, tallies = len(pin.cores()), [], []
    with own.farm() as settings:
        for sweep in range(asked.sweeps):
            steps = []
            for users in asked.users:
                one, counted = measure(settings, users, asked, asked.out / f"{sweep}-{users}")
                steps.append(one)
                tallies.append(counted)
                print(_line(sweep, one, cores), flush=True)
            sweeps.append(steps)
    write(sweeps, cores, asked.out / "ramp.csv")
    merged = curve.merged(sweeps)
    if not plot.draw(merged, cores, asked.out / "ramp.png"):
        print("no picture: matplotlib is not installed (pip install matplotlib)")
    return report(sweeps, tally.total(tallies), speed=not asked.quick)


def measure(
    settings: Settings, users: int, asked: argparse.Namespace, folder: Path
) -> tuple[Step, tally.Tally]:
    """Return what so many users got, and what they asked for and took in all."""
    folder.mkdir(exist_ok=True)
    requests = folder / "requests.csv"
    requests.unlink(missing_ok=True)
    kernel_us = alone.kernel_us(CALIBRATION)
    locust = _locust(settings, users, asked, folder)
    try:
        while not requests.exists():  # Locust makes it as its users start
            if locust.poll() is not None:
                raise SystemExit(f"Locust ended with status {locust.returncode}")
            time.sleep(0.02)
        watch = meter.Meter(settings.state, {"locust": locust.pid})
        time.sleep(asked.warm)
        start, before = time.time(), watch.read()
        time.sleep(asked.seconds)
        stop, after = time.time(), watch.read()
        locust.wait(DRAIN * 2)
    finally:
        locust.kill()
        locust.wait()
    used = meter.used(before, after)
    found = curve.step(users, _requests(requests), (start, stop), used, kernel_us)
    counted = tally.read(folder / "tally.json")
    counted.failed += counted.clean and locust.returncode != 0  # what only Locust saw
    return found, counted


def _locust(
    settings: Settings, users: int, asked: argparse.Namespace, folder: Path
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "BatchUser", "--headless"]
    command += ["-u", str(users), "-r", str(users), "-s", str(DRAIN)]
    command += ["-t", f"{asked.warm + asked.seconds + 1:.0f}s", "--rows", str(asked.rows)]
    command += ["--records", str(folder), "--csv", str(folder / "locust")]
    command += ["--only-summary", "--loglevel", "ERROR"]
    with (folder / "locust.log").open("wb") as log:
        return subprocess.Popen(command, env=up.environment(settings), stdout=log, stderr=log)


def _requests(path: Path) -> list[curve.Request]:
    with path.open() as file:
        return [
            curve.Request(float(row["ended"]), float(row["seconds"]), int(row["proofs"]))
            for row in csv.DictReader(file)
            if row["failed"] == "0"
        ]


def write(sweeps: Sequence[Sequence[Step]], cores: int, path: Path) -> None:
    """Write a row for each step of each sweep."""
    rows = [
        {"sweep": number} | one.row(cores) for number, steps in enumerate(sweeps) for one in steps
    ]
    with path.open("w", newline="") as file:
        table = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        table.writeheader()
        table.writerows(rows)


def report(sweeps: Sequence[Sequence[Step]], counted: tally.Tally, *, speed: bool) -> int:
    """Print peak, knee and goals; return 1 if one is missed, only the first if not `speed`."""
    merged = curve.merged(sweeps)
    top, bend = curve.peak(merged), curve.knee(merged)
    print(f"peak {top.rate:,.0f} proofs/s at {top.users} users; knee at {bend.users} users")
    found = [_faults(counted), *curve.goals(sweeps)]
    for one in found:
        print(f"{'met ' if one.met else 'MISSED'} {one.name}: {one.figure} (goal {one.goal})")
    return 0 if all(one.met for one in (found if speed else found[:1])) else 1


def _faults(counted: tally.Tally) -> curve.Goal:
    faults = counted.lost + counted.wrong + counted.twice + counted.failed
    figure = (
        f"{counted.asked:,} asked, {counted.taken:,} taken, {faults} faults; "
        f"{counted.verified:,} computed again; {counted.busy:,} times busy"
    )
    goal = "as many as asked, 0 faults"
    return curve.Goal("none lost, twice, wrong or out of order", figure, goal, counted.clean)


def _line(sweep: int, one: Step, cores: int) -> str:
    row = one.row(cores)
    return (
        f"sweep {sweep + 1}, {one.users} users: {row['proofs_s']:,} proofs/s (kernel alone "
        f"{row['kernel_alone_s']:,}), p50 {one.p50:.0f} p95 {one.p95:.0f} p99 {one.p99:.0f} ms, "
        f"CPU {row['cost_us']} us a proof, {row['overhead_us']} of it not the kernel's"
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    numbers = [1, 10, 20, 50, 100, 200]
    parser.add_argument("--users", type=lambda t: [int(n) for n in t.split(",")], default=numbers)
    parser.add_argument("--seconds", type=float, default=20.0, help="measured in each step")
    parser.add_argument("--warm", type=float, default=5.0, help="left out before that")
    parser.add_argument("--sweeps", type=int, default=3)
    parser.add_argument("--rows", type=int, default=32_768, help="proofs in one batch")
    parser.add_argument("--quick", action="store_true", help="seconds in all; only faults count")
    parser.add_argument("--out", type=Path, default=LOCUSTFILE.parent / "out")
    asked = parser.parse_args()
    if asked.quick:
        vars(asked).update(QUICK)
    asked.out = asked.out.absolute()
    return asked


if __name__ == "__main__":
    sys.exit(main())
