"""The error for faults of the user's data."""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST = 1500
"""Number of characters of a message, at most, so that it fits on a screen whatever a file holds."""


BYTES = re.compile("[\udc80-\udcff]")
"""Pattern of a byte of a name that is not UTF-8, as Python holds it."""


def shortened(message: str) -> str:
    r"""A message, of which the middle is left out where it is longer than a screen.

    Bytes of names that are not UTF-8, which no file can hold, are written out.

    >>> shortened("a.csv: no rows"), len(shortened(9999 * "x")), shortened("\udcff.csv: no rows")
    ('a.csv: no rows', 1500, '\\xff.csv: no rows')
    """
    message = BYTES.sub(lambda found: f"\\x{ord(found[0]) - 0xDC00:02x}", message)
    if len(message) <= LONGEST:
        return message
    half = LONGEST // 2
    return f"{message[: half - 3]} ... {message[2 - half :]}"


DAMAGES: Mapping[str, str] = {
    "password|encrypted": "it has a password: save it without one",
    "checksum|crc|digest": "it does not fit its checksum",
    "no such file|failed to open": "a file of it is missing",
    "utf-?8": "a text in it is not utf-8",
    "malloc|alloc|out of memory|larger than": "it says that it is larger than the memory",
    "truncat|ended before|unexpected end|eof|not processed|only read|too small|end of": "its end is missing",
    "not a zip|in footer": "its end is missing, or it is of another format",
    "not a gzip|magic|frame desc|file format|data stream$|input format|was null|not an? ": "it is of another format",
}
"""Words of ours on what is wrong with a damaged file, by a pattern of the words of the library that reads it."""


def damage(error: BaseException) -> str:
    """What is wrong with a damaged file, in words of ours, whichever library could not read it.

    Args:
        error: what the library raised.

    >>> damage(OSError("image file is truncated (12 bytes not processed)")), damage(ValueError("Lorem"))
    ('its end is missing', 'its parts cannot be decoded')
    """
    if isinstance(error, MemoryError):
        return "it says that it is larger than the memory"
    if isinstance(error, EOFError):
        return "its end is missing"
    said = str(error).strip().split("\n")[0]
    return next(
        (words for sign, words in DAMAGES.items() if re.search(sign, said, re.I)), "its parts cannot be decoded"
    )


class DataError(ValueError):
    """One fault of the user's data, or several that are told together; each message names its place.

    Args:
        messages: message of each, which is shortened to fit on a screen.
        noted: whether they are noted already, in the `tutelage.tables.Notes` of those who read.
    """

    def __init__(self, *messages: str, noted: bool = False) -> None:
        self.messages = list(map(shortened, messages))
        self.noted = noted
        super().__init__("\n".join(self.messages))


class NoRowsError(DataError):
    """A table without a row, which is no fault of one file of several."""
