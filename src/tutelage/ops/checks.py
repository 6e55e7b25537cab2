"""Checks of values and of packages. Each error names the value, the range that is allowed, and what was given."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from numbers import Integral, Real
from typing import Any, Literal, get_args, get_origin, get_type_hints


def in_range(name: str, value: float, low: float, high: float = math.inf, *, low_open: bool = False) -> None:
    """Raise ValueError unless ``low <= value <= high`` (``low < value`` when ``low_open``).

    >>> in_range("temperature", 1.5, 0, 1, low_open=True)
    Traceback (most recent call last):
    ValueError: temperature must be in (0, 1], got 1.5
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if math.isinf(value):
        raise ValueError(f"{name} must be finite, got {value}")
    if not (low < value if low_open else low <= value) or not value <= high:
        if math.isinf(high):
            raise ValueError(f"{name} must be {'above' if low_open else 'at least'} {low}, got {value}")
        raise ValueError(f"{name} must be in {'(' if low_open else '['}{low}, {high}], got {value}")


def lacking(what: str, extra: str, error: ImportError) -> ImportError:
    """Error that names the extra with the missing packages.

    Args:
        what: name of the thing that needs the packages.
        extra: name of the extra.
        error: error of the import.

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
    """A range of numbers.

    Attributes:
        low, high: ends of the range.
        low_open, high_open: whether the range leaves out this end.
        whole: whether only whole numbers are allowed.
    """

    low: float
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False
    whole: bool = False

    def check(self, name: str, value: Any) -> None:
        """Check that the value of the field ``name`` is in the range.

        Raises:
            TypeError: the value is no number, or no whole number.
            ValueError: the value is out of the range.

        >>> Range(0, 1).check("decay", 1.5)
        Traceback (most recent call last):
        ValueError: decay must be in [0, 1], got 1.5
        """
        if self.whole and not isinstance(value, Integral):
            raise TypeError(f"{name} must be a whole number, got {value!r}")
        in_range(name, value, self.low, self.high, low_open=self.low_open)
        if self.high_open and value == self.high:
            raise ValueError(f"{name} must be below {self.high}, got {value}")

    def words(self) -> str:
        """The numbers of the range, in words.

        >>> Range(2, whole=True).words(), Range(0, low_open=True).words()
        ('a whole number of at least 2', 'a number above 0')
        """
        what = "a whole number" if self.whole else "a number"
        if math.isinf(self.high):
            return f"{what} above {self.low}" if self.low_open else f"{what} of at least {self.low}"
        ends = f"{'(' if self.low_open else '['}{self.low}, {self.high}{')' if self.high_open else ']'}"
        return f"{what} in {ends}"


@cache
def checks_of(kind: type) -> dict[str, Callable[[str, Any], None]]:
    """Checks of a dataclass's fields, by field: functions of name and value, for fields with a `Range` or a Literal."""
    found: dict[str, Callable[[str, Any], None]] = {}
    for name, hint in get_type_hints(kind, include_extras=True).items():
        if get_origin(hint) is Literal:
            found[name] = partial(one_of, allowed=get_args(hint))
        for note in getattr(hint, "__metadata__", ()):
            if isinstance(note, Range):
                found[name] = note.check
    return found
