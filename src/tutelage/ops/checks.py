"""Checks of values and of packages: each error says the name, what was given or missing, and what is needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal, get_args, get_origin, get_type_hints


def in_range(name: str, value: float, low: float, high: float = math.inf, *, low_open: bool = False) -> None:
    """Raise ValueError unless ``low <= value <= high`` (``low < value`` when ``low_open``).

    >>> in_range("temperature", 1.5, 0, 1, low_open=True)
    Traceback (most recent call last):
    ValueError: temperature must be in (0, 1], got 1.5
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not (low < value if low_open else low <= value) or not value <= high:
        if math.isinf(high):
            raise ValueError(f"{name} must be {'above' if low_open else 'at least'} {low}, got {value}")
        raise ValueError(f"{name} must be in {'(' if low_open else '['}{low}, {high}], got {value}")


def lacking(what: str, extra: str, error: ImportError) -> ImportError:
    """The error that names the extra whose packages something needs.

    >>> lacking("the camera", "images", ImportError("No module named 'lens'"))
    ImportError("the camera needs more packages: pip install 'tutelage[images]' (No module named 'lens')")
    """
    return ImportError(f"{what} needs more packages: pip install 'tutelage[{extra}]' ({error})")


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")


@dataclass(frozen=True)
class Range:
    """Numbers from ``low`` to ``high``, both included unless ``low_open`` or ``high_open``; ``whole`` ones only."""

    low: float
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def check(self, name: str, value: Any) -> None:
        """Raise ValueError, or TypeError for what is no number, unless a field's value is in the range.

        >>> Range(0, 1).check("decay", 1.5)
        Traceback (most recent call last):
        ValueError: decay must be in [0, 1], got 1.5
        """
        if self.whole and not isinstance(value, int):
            raise TypeError(f"{name} must be a whole number, got {value!r}")
        in_range(name, value, self.low, self.high, low_open=self.low_open)
        if self.high_open and value == self.high:
            raise ValueError(f"{name} must be below {self.high}, got {value}")


@cache
def checks_of(kind: type) -> dict[str, Callable[[str, Any], None]]:
    """Of each field of a dataclass whose type says what it may be: what raises an error for a name and a bad value."""
    found: dict[str, Callable[[str, Any], None]] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is Literal:
            found[name] = partial(one_of, allowed=get_args(hint))
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, Range):
                found[name] = note.check
    return found
