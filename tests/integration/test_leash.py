"""A leashed command is the command itself, and dies with who started it."""

import os
import signal
import subprocess
import sys

from farm import leash


def run(*command):
    return subprocess.run([*leash.command(), *command], capture_output=True, text=True)


def test_it_becomes_the_command():
    done = run("/bin/sh", "-c", "echo $PPID; exit 7")
    assert (done.returncode, int(done.stdout)) == (7, os.getpid())


def test_the_command_is_not_deaf_to_a_closed_pipe():
    script = "kill -PIPE $$; sleep 9"
    assert run("/bin/sh", "-c", script).returncode == -signal.SIGPIPE


def test_a_parent_that_is_gone_starts_nothing():
    stranger = [sys.executable, "-I", "-S", leash.__file__, "1", "/bin/echo", "started"]
    done = subprocess.run(stranger, capture_output=True)
    assert (done.returncode, done.stdout) == (leash.ORPHAN, b"")


def test_a_command_that_is_not_there_is_named():
    done = run("/nowhere/x")
    assert (done.returncode, done.stderr) == (127, "/nowhere/x: No such file or directory\n")
