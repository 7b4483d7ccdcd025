"""Make a guest's stdin from what was given on the command line: a file, or typed words."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from farm import serde
from farm.errors import BadInput


def guest_stdin(file: Path | None, words: Sequence[str] | None) -> bytes:
    """Return the bytes of `file`, or the words of "u64:0 u32:10"; nothing for neither.

    Raises BadInput for both, for a file that cannot be read, and for words that are none.
    """
    if file is not None and words:
        raise BadInput("give the guest's stdin by --input-file or by --words, not by both")
    if file is not None:
        return _read(file)
    return b"".join(serde.parse(word) for line in words or () for word in _split(line))


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise BadInput(f"words: cannot read {line!r} ({error})") from error


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInput(f"input: cannot read {file} ({error.strerror})") from error
