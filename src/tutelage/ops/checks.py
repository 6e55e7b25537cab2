"""Range checks that say the name, the value and what is allowed."""

from __future__ import annotations

import math


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


def one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raise ValueError unless ``value`` is one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
