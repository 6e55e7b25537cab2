"""The nearest of known names to a mistyped one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

ALIKE = 0.7
"""Least likeness (`difflib`) of two names of which one may be the other, mistyped."""

SHORT = 0.6
"""The same of short words, such as commands and columns: of these two letters may be exchanged."""


def nearest(name: str, known: Iterable[str], least: float = ALIKE) -> str | None:
    """The known name that is most like a name, where case and blanks do not matter; None where none is alike.

    Args:
        name: the name as it was typed.
        known: names that exist.
        least: least likeness, in [0, 1].

    >>> nearest("minlm", ["minilm", "mpnet"]), nearest("r9", ["r8", "digits"]), nearest("gpt", ["minilm", "mpnet"])
    ('minilm', None, None)
    >>> nearest("Texts ", ["label", "text"])
    'text'
    """
    by_key = {each.strip().casefold(): each for each in known}
    found = difflib.get_close_matches(name.strip().casefold(), by_key, 1, least)
    return by_key[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str], least: float = ALIKE) -> str:
    """The nearest known name, to stand in a message behind a name that does not exist; empty where none is alike.

    >>> did_you_mean("minlm", ["minilm", "mpnet"]), did_you_mean("gpt", ["minilm"])
    (" (did you mean 'minilm'?)", '')
    """
    found = nearest(name, known, least)
    return "" if found is None else f" (did you mean {found!r}?)"
