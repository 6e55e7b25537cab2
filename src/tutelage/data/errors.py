"""The error for faults of the user's data."""

from __future__ import annotations

import re

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
