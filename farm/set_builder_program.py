"""Read the program that makes sets, which comes with the farm."""

from pathlib import Path

#: The blob of guest/set-builder, under this name only in what is installed too.
BLOB = Path(__file__).with_name("set-builder.bin")


def read() -> bytes:
    """Return the set builder's program blob."""
    return BLOB.read_bytes()
