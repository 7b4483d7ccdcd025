"""Call the compiled trace kernel: columns in, proofs out, other threads running meanwhile."""

import ctypes

import numpy as np

from farm import pack
from farm.columns import Inputs, Outputs
from farm.errors import BadTrace, KernelMissing

#: Of the interface in host/kernel/src/abi.rs, which says its own by `farm_kernel_version`.
VERSION = 1
#: What that interface calls the programs.
_PROGRAMS = {"fib.v0": 0, "sha256.v0": 1}
#: Its columns, in its order: those it reads, and those of the proofs.
_INPUTS = {"words": "<u8", "lengths": "<u4", "rounds": "<u4"}
_OUTPUTS = {"codes": "u1", "outputs": "<u8", "steps": "<u4", "commitments": "u1"}


class _Columns(ctypes.Structure):
    _fields_ = (
        ("program", ctypes.c_uint32),
        ("rows", ctypes.c_size_t),
        ("word_count", ctypes.c_size_t),
        *((name, ctypes.c_void_p) for name in (*_INPUTS, *_OUTPUTS)),
    )


class Kernel:
    """The library `libfarm_kernel.so`, loaded.

    Raises KernelMissing for a file that cannot be loaded or is of another version.
    """

    def __init__(self, path: str) -> None:
        try:
            # A CDLL, and not a PyDLL: its calls let go of the interpreter's lock.
            library = ctypes.CDLL(path)
            version = library.farm_kernel_version()
            self._prove = library.farm_kernel_prove
        except (OSError, AttributeError) as error:
            raise KernelMissing(path, str(error)) from error
        if version != VERSION:
            raise KernelMissing(path, f"it is of version {version}, the farm needs {VERSION}")

    def prove(self, inputs: Inputs, done: Outputs) -> None:
        """Fill every row of `done` whose code is OK with its proof.

        Raises BadTrace, before any memory is read, for columns that do not fit together.
        """
        # Only a column that is neither whole nor aligned is copied.
        given = {name: np.require(getattr(inputs, name), None, ("C", "A")) for name in _INPUTS}
        made = {name: getattr(done, name) for name in _OUTPUTS}
        rows, words = len(inputs), given["words"].size
        shapes = {"words": (words,), "commitments": (rows, 32)}
        for name, kind in (_INPUTS | _OUTPUTS).items():
            _check(name, (given | made)[name], kind, shapes.get(name, (rows,)))
        if not all(column.flags.carray for column in made.values()):
            raise BadTrace("batch: its results cannot be written in place")
        at = {name: column.ctypes.data for name, column in (given | made).items()}
        batch = _Columns(_PROGRAMS[inputs.program], rows, words, **at)
        if self._prove(ctypes.byref(batch)):
            raise BadTrace("batch: its columns do not fit together")


def _check(name: str, column: pack.Column, kind: str, shape: tuple[int, ...]) -> None:
    if column.dtype != np.dtype(kind) or column.shape != shape:
        raise BadTrace(f"batch: column {name} is {column.dtype} {column.shape}, not {kind} {shape}")
