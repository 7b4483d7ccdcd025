"""Keep freed memory in a process that needs buffers of the same sizes again and again."""

import contextlib
import ctypes

#: Names of glibc's <malloc.h>.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
#: Bytes that stay with the process, and below which a block is taken from them.
KEPT, BLOCK = 256 << 20, 32 << 20


def keep() -> None:
    """Tell glibc to give little memory back; another C library is left as it is.

    Mapped anew for each message, the pages of a trace worker's buffers cost as much as all else
    that it does with them: measured, half of a message's CPU time without the proofs.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_TRIM_THRESHOLD, KEPT)
        mallopt(_MMAP_THRESHOLD, BLOCK)
