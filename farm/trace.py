"""Prove whole batches of trace programs, by the compiled kernel where there is one, else by numpy.

Which of the two is one choice for the process. Both give the same to the bit as
farm/trace_plain.py, which says what the programs mean.
"""

import logging
from collections.abc import Callable
from typing import NamedTuple

from farm import locate, trace_numpy
from farm import settings as config
from farm.columns import Code, Inputs, Outputs
from farm.errors import BadTrace, KernelMissing
from farm.kernel import Kernel

# Unlike structlog it needs no set-up to keep off stdout, which is for data in a client.
log = logging.getLogger(__name__)

#: The setting `kernel` that does without one.
NUMPY = "numpy"


class _Backend(NamedTuple):
    name: str
    prove: Callable[[Inputs, Outputs], None]


_chosen: list[_Backend] = []


def choose(kernel: str) -> str:
    """Let this process prove by what the setting `kernel` says; return the backend's name.

    Raises KernelMissing where the operator named a kernel in vain.
    """
    _chosen[:] = [_backend(kernel)]
    return _chosen[0].name


def backend() -> str:
    """Return "kernel" or "numpy"; chosen by the settings in force, if nobody chose before."""
    return _current().name


def prove(inputs: Inputs, limit: int) -> Outputs:
    """Return the proofs of a batch; rows longer than `limit` rounds or chunks get a code.

    Raises BadTrace for columns that do not fit together.
    """
    if len(inputs.lengths) != len(inputs) or inputs.ends()[-1] != len(inputs.words):
        raise BadTrace("batch: its columns do not fit together")
    done = Outputs.empty(len(inputs))
    _CHECKS[inputs.program](inputs, limit, done)
    _current().prove(inputs, done)
    return done


def _current() -> _Backend:
    if not _chosen:
        choose(config.load().kernel)
    return _chosen[0]


def _backend(kernel: str) -> _Backend:
    if kernel == NUMPY:
        return _Backend(NUMPY, trace_numpy.prove)
    try:
        return _Backend("kernel", Kernel(locate.kernel(kernel)).prove)
    except KernelMissing as error:
        if kernel:
            raise
        log.warning("traces are proved by numpy: %s", error)
        return _Backend(NUMPY, trace_numpy.prove)


def _check_fib(inputs: Inputs, limit: int, done: Outputs) -> None:
    done.codes[inputs.rounds > limit] = Code.OVER_LIMIT
    done.codes[inputs.rounds == 0] = Code.NO_ROUNDS
    done.codes[inputs.lengths != 2] = Code.BAD_WITNESS


def _check_sha256(inputs: Inputs, limit: int, done: Outputs) -> None:
    done.codes[inputs.lengths > 4 * limit] = Code.OVER_LIMIT


_CHECKS: dict[str, Callable[[Inputs, int, Outputs], None]] = {
    "fib.v0": _check_fib,
    "sha256.v0": _check_sha256,
}
