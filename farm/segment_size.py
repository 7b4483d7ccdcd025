"""Choose how large the segments of a job are: by what the slots hold, and what recursion costs.

Pure. Every segment costs a lift and a join on top of its cycles, so larger ones cost less in all;
but what only a few slots hold leaves the others idle, and few segments leave most of them so.
Nothing that is learned goes into it, only what slots announce and what a cost model begins with:
the size is part of a session's name, and equal jobs should find each other's.
"""

from collections.abc import Sequence
from math import ceil, log2

from farm.cost import CostModel
from farm.session import Slot
from farm.settings import PO2
from farm.terms import Features, risc0_name
from farm.width import duration

#: What the setting says for "choose".
AUTO = "auto"
#: The largest that is chosen: RISC Zero's own default, on GPUs that of its farms. What a caller
#: or an operator asks for may be larger.
MOST_ON_CORES, MOST_ON_GPU = 20, 21
#: The size while no slot is up to say what it holds: 1.45 GB, which every prover has.
UNKNOWN = 17
#: What a lift and a join cost on a GPU, in cycles of proving: 2^19.6 to 2^20.7 in farm/profiles
#: (an L40S, an RTX 5090).
GPU_RECURSION = float(1 << 20)
#: How much more than the least the work in a job may be, for it to end sooner.
SLACK = 1.25
#: GiB that a GPU needs by po2: the tokens of RISC Zero's own farm (farm/profiles).
GPU_GIB = {17: 5, 18: 8, 19: 10, 20: 15, 21: 24, 22: 30}
#: What a card has, at the least, of the GiB that it is sold with (an A10: 23,028 MiB of 24 GiB).
SOLD = 0.93


def peak_bytes(po2: int) -> int:
    """Return the memory one prover needs at a segment size: measured at 2^16 and 2^18."""
    return max(1_450_000_000, (2_400_000_000 << po2) >> 18)


def held(memory: int) -> int:
    """Return the largest size that a prover on cores holds in so many bytes.

    That is the smallest there is where there is too little for any: the doctor says so.
    """
    return max((po2 for po2 in PO2 if peak_bytes(po2) <= memory), default=PO2[0])


def held_on_gpu(memory: int) -> int:
    """Return the largest size that a GPU of so many bytes holds."""
    fitting = (po2 for po2, gib in GPU_GIB.items() if SOLD * gib * (1 << 30) <= memory)
    return max(fitting, default=PO2[0])


def side_by_side(setting: int | str, cores: int, memory: int) -> int:
    """Return how many provers of a machine run at once; the size is the one set, or the one at
    which the machine gets most done."""
    if isinstance(setting, int):
        return _fitting(setting, cores, memory)
    sizes = [po2 for po2 in PO2 if po2 <= min(MOST_ON_CORES, held(memory))]

    def load(po2: int) -> float:
        slots = _fitting(po2, cores, memory)
        # As farm/pin.py deals out the cores.
        widths = [len(range(number, cores, slots)) for number in range(slots)]
        return _work(po2, _recursion()) / sum(1 / duration(width) for width in widths)

    return _fitting(min(sizes, key=load), cores, memory)


def choose(setting: int | str, slots: Sequence[Slot], cycles: int) -> int:
    """Return the size for a job of at most `cycles`, as the setting says and the slots hold.

    A number is what it says, or less where no slot holds that. "auto" is the size at which the
    job ends soonest, among those at which the slots that hold it get about most done.
    """
    proving = [slot for slot in slots if slot.kind == "risc0"]
    if not proving:
        return setting if isinstance(setting, int) else UNKNOWN
    largest = max(map(_holds, proving))
    if isinstance(setting, int):
        return min(setting, largest)
    gpus = [slot for slot in proving if _is_gpu(slot)]
    # What cores get done counts for nothing beside a GPU.
    return _chosen(gpus or proving, cycles, on_gpu=bool(gpus))


def _chosen(slots: Sequence[Slot], cycles: int, *, on_gpu: bool) -> int:
    most = min(MOST_ON_GPU if on_gpu else MOST_ON_CORES, max(map(_holds, slots)))
    recursion = GPU_RECURSION if on_gpu else _recursion()
    places = {po2: _places(slots, po2) for po2 in PO2 if po2 <= most}
    loads = {po2: _work(po2, recursion) / sum(speeds) for po2, speeds in places.items()}
    least = min(loads.values())
    good = [po2 for po2, load in loads.items() if load <= SLACK * least]
    return min(good, key=lambda po2: (_ends(po2, places[po2], cycles, recursion), -po2))


def _ends(po2: int, speeds: Sequence[float], cycles: int, recursion: float) -> float:
    """Return when a job alone ends, in cycles of proving on one core or GPU."""
    segments = max(1, ceil(cycles / (1 << po2)))
    rounds = ceil(segments / len(speeds))
    folds = ceil(log2(segments))
    return (rounds * ((1 << po2) + recursion / 2) + folds * recursion / 2) / min(speeds)


def _places(slots: Sequence[Slot], po2: int) -> list[float]:
    """Return how fast each place is that holds the size: a GPU, or all such cores of a machine,
    which lend themselves to each other."""
    found: dict[str, int] = {}
    for slot in slots:
        if _holds(slot) >= po2:
            place = slot.name if _is_gpu(slot) else slot.machine
            found[place] = found.get(place, 0) + (1 if _is_gpu(slot) else len(slot.cores))
    return [float(cores) for cores in found.values()]


def _work(po2: int, recursion: float) -> float:
    """Return what a cycle costs with its part of the recursion; without it, 1."""
    return 1 + recursion / (1 << po2)


def _recursion() -> float:
    """Return what a lift and a join cost on cores, in cycles of proving."""
    prove, lift, join = (
        CostModel(risc0_name(verb, "cpu")).predict(Features(po2=20))
        for verb in ("prove", "lift", "join")
    )
    return (lift + join) / prove * (1 << 20)


def _fitting(po2: int, cores: int, memory: int) -> int:
    return max(1, min(cores, memory // peak_bytes(po2)))


def _holds(slot: Slot) -> int:
    return slot.po2 or PO2[-1]


def _is_gpu(slot: Slot) -> bool:
    return not slot.cores or "cuda" in slot.features
