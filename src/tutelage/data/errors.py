"""The error for faults of the user's data."""

from __future__ import annotations

LONGEST = 1500
"""Number of characters of a message, at most, so that it fits on a screen whatever a file holds."""


def shortened(message: str) -> str:
    """A message, of which the middle is left out where it is longer than a screen.

    >>> shortened("a.csv: no rows"), len(shortened(9999 * "x"))
    ('a.csv: no rows', 1500)
    """
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
