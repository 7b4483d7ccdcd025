"""Open Locust's page on a farm of one's own, whose RISC0 hosts answer from golden receipts.

    python load/page.py [what Locust takes: user classes, --headless -u 10 -t 30s, ...]

All users run, by weight, unless some are named. The farm ends with Locust.
"""

import subprocess
import sys
from pathlib import Path

import own

from farm import locate, up
from farm import settings as config
from farm.errors import HostMissing

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "tests" / "golden"


def main() -> int:
    """Run both; return Locust's exit status."""
    with own.farm(replay=str(GOLDEN)) as settings:
        command = [sys.executable, "-m", "locust", "-f", str(HERE / "locustfile.py")]
        command += ["--web-host", "127.0.0.1", "-s", "60", *_users(sys.argv[1:])]
        try:
            return subprocess.run(command, env=up.environment(settings), check=False).returncode
        except KeyboardInterrupt:
            return 0


def _users(given: list[str]) -> list[str]:
    """Return the words for Locust: without a host there are no RISC0 users."""
    try:
        locate.find(config.load())
    except HostMissing as missing:
        print(f"no RISC0 users: {missing}")
        if not any(word.endswith("User") for word in given):
            return ["BatchUser", "SingleUser", *given]
    return given


if __name__ == "__main__":
    sys.exit(main())
