"""What is sent to a Redis server: the same bytes as redis-py's, and Ctrl-C is no crash."""

import subprocess
import sys

import pytest
from redis.connection import HiredisRespSerializer
from redis.exceptions import DataError

from farm.packer import Packer

PROGRAM = """
import signal
from farm.packer import Packer

packer, numbers, writing = Packer(), [1, 2.5] * 50, False

def interrupt(number, frame):
    global writing
    if writing:
        writing = False
        raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.001)
for _ in range(300):
    try:
        writing = True
        while True:
            packer.pack("SET", *numbers)
    except KeyboardInterrupt:
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_a_ctrl_c_while_numbers_are_written_is_no_crash():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "command",
    [("XREAD", "BLOCK", 10, "STREAMS", "a b", b"\0\xff"), ("CONFIG GET", 2.5, -1)],
)
def test_the_bytes_are_those_of_redis_py(command):
    assert Packer().pack(*command) == HiredisRespSerializer().pack(*command)


def test_what_has_no_text_is_an_error():
    with pytest.raises(DataError):
        Packer().pack("SET", object())
