"""Offsets in a text that a tool counts as JavaScript does: a character beyond the first 65,536 is two units."""

from __future__ import annotations

LAST_OF_ONE = 0xFFFF
"""Last character that is one unit of UTF-16."""


def units(text: str) -> list[int]:
    """Number of UTF-16 units before each character of a text and at its end, (len(text) + 1,).

    >>> units("a😀b")
    [0, 1, 3, 4]
    """
    found = [0]
    for character in text:
        found.append(found[-1] + 1 + (ord(character) > LAST_OF_ONE))
    return found


def in_characters(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Start and end in characters of a part of a text that is given in UTF-16 units; None where it cuts a character.

    >>> in_characters("😀 Ada", 3, 6), in_characters("😀 Ada", 1, 6)
    ((2, 5), None)
    """
    at = {unit: i for i, unit in enumerate(units(text))}
    return (at[start], at[end]) if start in at and end in at else None


def is_wide(text: str) -> bool:
    """Whether a text has a character of two units."""
    return any(ord(character) > LAST_OF_ONE for character in text)
