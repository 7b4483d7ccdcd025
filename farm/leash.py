"""Run a command that dies with the process that started it: `leash.py PARENT-PID COMMAND...`.

Started by path, without site packages, and imports only what it needs: every child of the
farm pays for it once. It becomes the command (same process id), so nothing stands between.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
#: Exit status when the parent was gone before the leash held.
ORPHAN = 4


def command() -> tuple[str, ...]:
    """Return what to put before a command so that it dies with the calling thread."""
    return (sys.executable, "-I", "-S", __file__, str(os.getpid()))


def main(parent: int, command: list[str]) -> int:
    """Replace this process by `command`; return an exit status only when that cannot be done."""
    # The kernel sends the signal when the *thread* that forked us ends: the supervisor
    # starts children from its main thread only.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        return ORPHAN
    # Python ignores SIGPIPE and an ignored signal stays ignored across exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
