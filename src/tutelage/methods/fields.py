"""What a hyper-parameter may be: a number in a range, one that changes over training, or one that is left open.

A method's file says the range in the field's type, ``weight: NonNegative = 1.0``, and leaves a field open by its
default, ``decay: Share = left_open(0.9)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self, TypeVar, cast, get_type_hints

from tutelage.ops.checks import Range, in_range

T = TypeVar("T", bound=float | str)


class Open:
    """A field's value that nobody chose: shown as None, it counts as the usual one until `Method.settled` sets another.

    Attributes:
        usual: the usual value, without the mark.
    """

    usual: Any

    def __repr__(self) -> str:
        return "None"


class _OpenNumber(Open, float):
    pass


class _OpenWord(Open, str):
    pass


class _OpenSwitch(Open, int):
    """Stands for a bool, which cannot be subclassed."""


def left_open(usual: T) -> T:
    """The default of a field that is set for the task unless somebody chose a value; until then it counts as ``usual``.

    >>> decay = left_open(0.9)
    >>> decay, decay + 0.0, isinstance(decay, Open)
    (None, 0.9, True)
    """
    kind: Any = _OpenSwitch if isinstance(usual, bool) else _OpenWord if isinstance(usual, str) else _OpenNumber
    made = kind(usual)
    made.usual = usual
    return cast(T, made)


Share = Annotated[float, Range(0, 1)]
"""A number in [0, 1]."""

PositiveShare = Annotated[float, Range(0, 1, low_open=True)]
"""A number in (0, 1]."""

NonNegative = Annotated[float, Range(0)]
"""A number of at least 0."""

Positive = Annotated[float, Range(0, low_open=True)]
"""A number above 0."""

Count = Annotated[int, Range(1, whole=True)]
"""A whole number of at least 1."""


class Ramp(float):
    """A number that changes over training, along a line from one value to another.

        value(t) = begin_value up to t = begin, end_value from t = end on, the line between them in between

    t is the share of training that is done, of the round where each round begins afresh (`Batch.progress`). Any number
    of a method that need not be whole may be a ramp, ``Drift(weight=Ramp(0.0, 1.0, end=0.2))``; `Method.at` puts the
    present value in its place, once a step. Before training a ramp counts as its first value.

    Args:
        begin_value: first value, in the range of the field.
        end_value: last value, in the range of the field.
        begin: share of training up to which the first value holds, in [0, 1].
        end: share of training from which the last value holds, in [begin, 1].

    Raises:
        ValueError: ``begin`` or ``end`` is out of its range.

    >>> threshold = Ramp(0.3, 0.5, begin=0.1, end=0.8)
    >>> [round(threshold.at(t), 3) for t in (0.0, 0.1, 0.45, 1.0)]
    [0.3, 0.3, 0.4, 0.5]
    """

    begin_value: float
    end_value: float
    begin: float
    end: float

    def __new__(cls, begin_value: float, end_value: float, begin: float = 0.0, end: float = 1.0) -> Self:
        in_range("begin", begin, 0, 1)
        in_range("end", end, begin, 1)
        made = super().__new__(cls, begin_value)
        made.begin_value, made.end_value, made.begin, made.end = float(begin_value), float(end_value), begin, end
        return made

    @staticmethod
    def parse(text: str) -> float:
        """A number or a ramp from text: "0.3", "0.3:0.5" over all of training, or "0.3:0.5@0.1:0.8" from 0.1 to 0.8.

        Raises:
            ValueError: the text is neither.

        >>> Ramp.parse("0.3"), Ramp.parse("0.3:0.5"), Ramp.parse("0.3:0.5@0.1:0.8")
        (0.3, Ramp(0.3, 0.5), Ramp(0.3, 0.5, begin=0.1, end=0.8))
        """
        values, at, when = text.partition("@")
        try:
            first, *last = map(float, values.split(":"))
            if not last and not at:
                return first
            (end_value,), (begin, end) = last, map(float, when.split(":")) if at else (0.0, 1.0)
        except ValueError:
            raise ValueError(f"a number, FROM:TO or FROM:TO@BEGIN:END is needed, got {text!r}") from None
        return Ramp(first, end_value, begin, end)

    def at(self, progress: float) -> float:
        """The value when this share of training is done, in [0, 1]."""
        if progress >= self.end:
            return self.end_value
        if progress <= self.begin:
            return self.begin_value
        done = (progress - self.begin) / (self.end - self.begin)
        return self.begin_value + done * (self.end_value - self.begin_value)

    def __str__(self) -> str:
        when = "" if (self.begin, self.end) == (0, 1) else f"@{self.begin}:{self.end}"
        return f"{self.begin_value}:{self.end_value}{when}"

    def __repr__(self) -> str:
        when = "" if (self.begin, self.end) == (0, 1) else f", begin={self.begin}, end={self.end}"
        return f"Ramp({self.begin_value}, {self.end_value}{when})"

    def __reduce__(self) -> tuple[type[Ramp], tuple[float, ...]]:
        return Ramp, (self.begin_value, self.end_value, self.begin, self.end)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ramp) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())


def may_ramp(method: type[Any]) -> set[str]:
    """Names of the fields of a method's class that may be a `Ramp`: numbers that need not be whole.

    >>> from tutelage.methods.fixmatch import FixMatch
    >>> sorted(may_ramp(FixMatch))
    ['threshold', 'weight']
    """
    return {name for name, hint in get_type_hints(method).items() if hint is float and name not in method.still}


def ramps_read(method: type[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Values of a method's fields by name, in which a ramp may be a text, as `Ramp.parse` reads it.

    Raises:
        ValueError: a text where a number is needed is no ramp.
    """
    numbers = may_ramp(method)
    return {n: Ramp.parse(v) if n in numbers and isinstance(v, str) else v for n, v in values.items()}
