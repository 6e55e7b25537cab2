"""How large a packed file may become when it is unpacked, so that a small one cannot fill the memory."""

from __future__ import annotations

import math
import os
from typing import IO

from tutelage.data.errors import DataError

GIGABYTES = 1.0
"""Gigabytes (2^30 bytes) that a file may unpack to, however small it is."""
TIMES = 50
"""Times its own size that a larger file may unpack to; tables of texts unpack to some 3 to 20 times."""
VARIABLE = "TUTELAGE_MAX_UNPACKED"
"""Environment variable that holds other gigabytes than `GIGABYTES`."""
CELL = 64
"""Bytes that a cell of a spreadsheet, or a value of an array, takes at least while it is read."""
PIECE = 1 << 22
"""Bytes that are unpacked at once."""


def most(size: int) -> int:
    """Bytes that a file may unpack to, at most.

    Args:
        size: bytes of the file.

    Raises:
        DataError: the environment variable holds no number above zero.

    >>> most(1000) == 2**30, most(2**30) == 50 * 2**30
    (True, True)
    """
    said = os.environ.get(VARIABLE) or str(GIGABYTES)
    try:
        gigabytes = float(said)
    except ValueError:
        gigabytes = math.nan
    if not 0 < gigabytes < math.inf:
        raise DataError(f"{VARIABLE} must be a number of gigabytes above 0, got {said!r}")
    return max(int(gigabytes * 2**30), TIMES * size)


def require(unpacked: float, size: int, path: str) -> None:
    """Check that a file does not unpack to more than it may.

    Args:
        unpacked: bytes that it unpacks to, at least.
        size: bytes of the file.
        path: the file, for the message.

    Raises:
        DataError: it does; the message says the bound and how it is raised.
    """
    if unpacked > (bound := most(size)):
        raise DataError(
            f"{path}: its {size:,} bytes unpack to more than {bound / 2**30:.3g} GB, the most that is read of a file "
            f"of this size; if it is meant, set {VARIABLE} to more gigabytes"
        )


def read_within(stream: IO[bytes], size: int, path: str) -> bytes:
    """All bytes of a stream that unpacks.

    Args:
        stream: the stream.
        size: bytes of the packed file.
        path: the file, for the message.

    Raises:
        DataError: there are more than a file of this size may unpack to.
    """
    parts: list[bytes] = []
    total = 0
    while part := stream.read(PIECE):
        parts.append(part)
        total += len(part)
        require(total, size, path)
    return b"".join(parts)
