"""Search in files of any size."""

from typing import BinaryIO

BLOCK = 2**18
"""Bytes read at a time."""


def contains(file: BinaryIO, wanted: bytes) -> bool:
    """Whether the rest of the file contains these bytes."""
    before = b""
    while block := file.read(BLOCK):
        if wanted in before + block:
            return True
        before = block[-len(wanted) :]
    return False
