"""Search for the patterns of rules, which a user or a stranger wrote, within a limit of time."""

from __future__ import annotations

import re
import signal
import threading
from functools import lru_cache
from types import FrameType
from typing import NoReturn

import regex

LIMIT = 2.0
"""Seconds of the processor that one pattern may take on one text; `(a+)+$` would take years on 60 letters."""

LONG = 100_000
"""Number of characters from which on the engine of Python looks too seldom whether it is to stop."""


class SlowPatternError(ValueError):
    """A pattern takes longer on a text than it may."""


def search(pattern: re.Pattern[str], text: str, limit: float = LIMIT) -> bool:
    r"""Whether a pattern is found anywhere in a text.

    The engine of Python searches, and a timer of the system stops it. Where that cannot be, in texts of more than LONG
    characters, in other threads than the main one and on Windows, the package `regex` searches, which has a limit of
    its own; both find the same, but for signs that only one of them counts as letters, such as vowel signs of Hindi.

    Args:
        pattern: a compiled pattern.
        text: the text.
        limit: seconds of the processor, more than 0.

    Raises:
        SlowPatternError: it takes longer.

    >>> search(re.compile("soup"), "a warm soup")
    True
    >>> search(re.compile(r"(a+)+$"), 60 * "a" + "b", limit=0.01)
    Traceback (most recent call last):
    tutelage.weak.patterns.SlowPatternError: the pattern takes more than 0.01 seconds on a text of 61 characters; ...
    """
    if hasattr(signal, "SIGVTALRM") and len(text) <= LONG and threading.current_thread() is threading.main_thread():
        return _timed(pattern, text, limit)
    other = _other(pattern.pattern, pattern.flags)
    if other is None:
        return pattern.search(text) is not None
    try:
        return other.search(text, timeout=limit) is not None
    except TimeoutError as e:
        raise _slow(text, limit) from e


def _timed(pattern: re.Pattern[str], text: str, limit: float) -> bool:
    """Whether a pattern is found, where a signal may end the search."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        raise _slow(text, limit)

    before = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, limit)
        try:
            return pattern.search(text) is not None
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    finally:
        signal.signal(signal.SIGVTALRM, signal.SIG_DFL if before is None else before)


@lru_cache(maxsize=4096)
def _other(pattern: str, flags: int) -> regex.Pattern[str] | None:
    """The pattern for the package `regex`; None where that does not know a part of it."""
    try:
        return regex.compile(pattern, (regex.IGNORECASE if flags & re.IGNORECASE else 0) | regex.VERSION0)
    except regex.error:
        return None


def _slow(text: str, limit: float) -> SlowPatternError:
    return SlowPatternError(
        f"the pattern takes more than {limit:g} seconds on a text of {len(text):,} characters; write it without "
        "repeats of repeats, such as (a+)+ or (a|a)*, and without several .* in a row"
    )
