"""Draw a ramp: proofs/s, latencies and CPU by users, as a PNG; needs matplotlib."""

from collections.abc import Sequence
from pathlib import Path

from curve import Step, knee, peak


def draw(steps: Sequence[Step], cores: int, path: Path) -> bool:
    """Return whether the picture was drawn; it is not where matplotlib is missing."""
    try:
        import matplotlib
    except ImportError:
        return False
    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(3, 1, figsize=(8, 12), sharex=True, layout="constrained")
    at = range(len(steps))
    _rates(axes[0], at, steps, cores)
    for name in ("p50", "p95", "p99"):
        axes[1].plot(at, [getattr(one, name) for one in steps], marker="o", label=name)
    axes[1].set(ylabel="latency of a batch, ms", yscale="log")
    _cpu(axes[2], at, steps)
    axes[2].set_xticks(at, [str(one.users) for one in steps])
    axes[2].set_xlabel("users")
    for one in axes:
        one.legend()
        one.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
    return True


def _rates(axes, at, steps, cores):
    axes.plot(at, [one.rate for one in steps], marker="o", label="farm")
    alone = [cores * 1e6 / one.kernel_us for one in steps]
    axes.plot(at, alone, "--", label="kernel alone on all cores")
    axes.set(ylabel="proofs/s", ylim=(0, None))
    title = f"peak {peak(steps).rate:,.0f} proofs/s at {peak(steps).users} users"
    axes.set_title(f"{title}, knee at {knee(steps).users}")


def _cpu(axes, at, steps):
    names = sorted(steps[0].cpu, key=lambda name: -sum(one.cpu[name] for one in steps))
    floor = [0.0] * len(steps)
    for name in names:
        cores = [one.cpu[name] / one.seconds for one in steps]
        if max(cores) >= 0.005:
            axes.bar(at, cores, bottom=floor, label=name)
            floor = [low + one for low, one in zip(floor, cores, strict=True)]
    axes.set(ylabel="cores in use")
