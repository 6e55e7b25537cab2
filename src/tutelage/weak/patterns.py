"""Search for the patterns of rules, which a user or a stranger wrote, within a limit of time."""

from __future__ import annotations

import re
from functools import lru_cache

import regex

LIMIT = 2.0
"""Seconds of the processor that one pattern may take on one text; `(a|a)*$` would take years on 60 letters."""

BRACE = re.compile(r"(?<!\\)((?:\\\\)*)\{(?!\d*,?\d*\})")
"""Pattern of a brace that begins no number of repeats, after backslashes that stand for themselves."""


class SlowPatternError(ValueError):
    """A pattern takes longer on a text than it may."""


def search(pattern: re.Pattern[str], text: str, limit: float = LIMIT) -> bool:
    r"""Whether a pattern is found anywhere in a text.

    The package `regex` searches, which reads patterns as Python does and has a limit of time; a class of POSIX, such as
    `[[:digit:]]`, is one.

    Args:
        pattern: a compiled pattern.
        text: the text.
        limit: seconds of the processor, more than 0.

    Raises:
        SlowPatternError: it takes longer.

    >>> search(re.compile("soup"), "a warm soup")
    True
    >>> search(re.compile(r"a.*b.*c"), 50_000 * "a", limit=0.01)
    Traceback (most recent call last):
    tutelage.weak.patterns.SlowPatternError: the pattern takes more than 0.01 seconds on a text of 50,000 characters...
    """
    other = _other(pattern.pattern, pattern.flags)
    if other is None:
        return pattern.search(text) is not None
    try:
        return other.search(text, timeout=limit) is not None
    except TimeoutError as e:
        raise SlowPatternError(
            f"the pattern takes more than {limit:g} seconds on a text of {len(text):,} characters; write it without "
            "repeats of repeats, such as (a+)+ or (a|a)*, and without several .* in a row"
        ) from e


@lru_cache(maxsize=4096)
def _other(pattern: str, flags: int) -> regex.Pattern[str] | None:
    """The pattern for the package `regex`; None where that does not know a part of it.

    A brace that Python reads as itself would begin a fuzzy match there.
    """
    try:
        plain = BRACE.sub(lambda found: found[0] if _named(found) else f"{found[1]}\\{{", pattern)
        return regex.compile(plain, (regex.IGNORECASE if flags & re.IGNORECASE else 0) | regex.VERSION0)
    except regex.error:
        return None


def _named(found: re.Match[str]) -> bool:
    r"""Whether a brace begins the name of a character, as in ``\N{DIGIT ONE}``."""
    return found.string[: found.start()].endswith("\\N")
