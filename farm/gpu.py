"""Ask how much memory the GPUs have that this process may use."""

import os
import subprocess

#: Prints MiB, a line for each GPU; comes with NVIDIA's driver.
COMMAND = ("nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits")
#: Seconds that it may take.
PATIENCE = 20.0


def memory() -> int:
    """Return the bytes of the smallest GPU, 0 where that cannot be told.

    CUDA_VISIBLE_DEVICES is obeyed where it names GPUs by their numbers or UUIDs.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES", "")
    command = [*COMMAND, f"--id={chosen}"] if chosen else [*COMMAND]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        return min(int(line) for line in said.stdout.split()) << 20
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
